"""Production: material goes through the encoders and becomes finished segments."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from feature_extraction.ahead import ahead
from feature_extraction.job import Job
from feature_extraction.material import Named, read_batches, unforeseen
from feature_extraction.segment import Segment, segment_path
from feature_extraction.source import Source
from toolkit.cache import CacheWriter, Record
from toolkit.errors import ClipError, UserError


def produce(jobs: Sequence[Job], source: Source, segments: Sequence[Segment], threads: int) -> Iterator[int]:
    """Makes segments and yields the number of clips of each batch done.

    Each clip is read once for all jobs. The next batch is read while this one is encoded, and a segment goes to the
    disk while the next is being made.

    Args:
        jobs: encoders that share the source
        source: reads the clips
        segments: what to make
        threads: how many clips are read at once

    Raises:
        UserError: an encoder cannot run
        RuntimeError: an encoder ended in an unforeseen exception, the cause, for every clip
    """
    disk = _Disk()
    bench: _Bench | None = None
    try:
        for segment, batch in ahead(read_batches(source, segments, threads)):
            if bench is None or bench.segment is not segment:
                disk.take(bench)
                bench = None  # it is the disk's, should there be no room for another
                bench = _Bench(jobs, source, segment)
            bench.add(batch)
            yield len(batch)
        disk.take(bench)
        bench = None
    finally:
        if bench is not None:
            bench.abort()
        disk.close()


class _Disk:
    """Finishes one segment at a time in the background."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def take(self, bench: "_Bench | None") -> None:
        """Hands a segment over to be finished; what went wrong with the one before it is raised here."""
        if bench is None:
            return
        bench.check()
        self._wait()
        self._last = self._thread.submit(bench.close)

    def close(self) -> None:
        """Waits for the last segment."""
        try:
            self._wait()
        finally:
            self._thread.shutdown()

    def _wait(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.result()


class _Bench:
    """One segment on its way through the encoders."""

    def __init__(self, jobs: Sequence[Job], source: Source, segment: Segment) -> None:
        self.segment = segment
        self._jobs = jobs
        self._source = source
        self._usable = 0
        self._errors: dict[int, list[Exception]] = {}
        paths = [segment_path(target.path, segment.key) for _, target in segment.todo]
        # A cache, or segments of another run on this very encoder, a shard's say, show that it can work.
        self._is_first = not any(
            target.path.exists() or any(path.parent.glob("[!.]*.h5"))
            for path, (_, target) in zip(paths, segment.todo, strict=True)
        )
        self._writers: list[CacheWriter] = []
        try:
            for path, (_, target) in zip(paths, segment.todo, strict=True):
                self._writers.append(CacheWriter(path, target.header))
        except BaseException:
            self.abort()
            raise

    def add(self, batch: list[Named]) -> None:
        """Encodes a batch and hands its records to the writers, in the batch's order."""
        usable = [(name, item) for name, item in batch if not isinstance(item, ClipError)]
        self._usable += len(usable)
        for number in sorted({number for number, _ in self.segment.todo}):
            results = dict(self._encode(number, usable))
            for (owner, target), writer in zip(self.segment.todo, self._writers, strict=True):
                if owner == number:
                    for name, item in batch:
                        result = results.get(name, item)
                        if isinstance(result, ClipError):
                            writer.append(Record(name, result.status, result.reason))
                        else:
                            writer.append(self._jobs[number].record(name, result, target))

    def _encode(self, number: int, batch: list[Named]) -> list[Named]:
        """Returns what becomes of clips that could be read; where a batch fails, its clips are encoded one by one."""
        if not batch:
            return []
        job = self._jobs[number]
        _ = job.encoder  # what goes wrong in building it is no clip's fault
        try:
            results = job.encode([item for _, item in batch], self._source)
        except UserError:
            raise
        except Exception as error:
            cause = error
        else:
            return [(name, result) for (name, _), result in zip(batch, results, strict=True)]
        if len(batch) > 1:
            return [pair for clip in batch for pair in self._encode(number, [clip])]
        self._errors.setdefault(number, []).append(cause)
        ((name, _),) = batch
        return [(name, unforeseen(job.label, name, cause))]

    def check(self) -> None:
        """Ends the run where an encoder failed for every clip and never made a segment: then it is not the clips.

        Raises:
            RuntimeError: it did
        """
        for number, errors in self._errors.items():
            if self._is_first and len(errors) == self._usable > 1:
                self.abort()
                raise RuntimeError(f"{self._jobs[number].label} failed for each of {self._usable} clips") from errors[0]

    def close(self) -> None:
        """Puts the segment on the disk."""
        try:
            for writer in self._writers:
                writer.close()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Leaves nothing of the segment."""
        for writer in self._writers:
            writer.abort()

"""Stage 1, one loop for all modalities: plan, resume, read, encode, write."""

import logging
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tqdm import tqdm

from feature_extraction.cores import count_cores
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.failures import write_failures
from feature_extraction.job import FaceJob, FeatureJob, Job
from feature_extraction.lock import locked
from feature_extraction.segment import make_segment, plan_segments, segment_folder
from feature_extraction.source import Row
from feature_extraction.spec import EncoderSpec, Level
from toolkit.cache import Cache, merge
from toolkit.corpus import Corpus
from toolkit.errors import UserError
from toolkit.status import Status

logger = logging.getLogger(__name__)


def extract_features(
    corpus: Corpus,
    spec: EncoderSpec,
    cache_root: Path,
    *,
    level: Level = "utterance",
    overwrite: bool = False,
    retry: bool = False,
    device: str = "cpu",
    workers: int = 1,
    progress: bool = False,
) -> Path:
    """Makes, completes or leaves alone the cache of one encoder; face crops are made first where it needs them.

    Args:
        corpus: the clips
        spec: the encoder
        cache_root: folder of all caches
        level: ``utterance`` keeps a vector per clip, ``frame`` the frames too
        overwrite: starts anew even if a cache is there
        retry: tries failed clips again
        device: torch device
        workers: processes that read and encode
        progress: shows a progress bar

    Returns:
        the cache file

    Raises:
        UserError: a cache made by another version of the encoder is there, another run is at work on it, or it cannot
            be written
    """
    options = {"overwrite": overwrite, "retry": retry, "workers": workers, "progress": progress}
    if spec.faces:
        # Crops are costly and shared by encoders, so --overwrite of an encoder does not redo them.
        extract_faces(corpus, spec.faces, cache_root, device=device, **options | {"overwrite": False})
    return run_job(FeatureJob(corpus, spec, cache_root, level=level, device=device), corpus, **options)


def extract_faces(
    corpus: Corpus,
    spec: FaceSpec,
    cache_root: Path,
    *,
    overwrite: bool = False,
    retry: bool = False,
    device: str = "cpu",
    workers: int = 1,
    progress: bool = False,
) -> Path:
    """Makes, completes or leaves alone the faces cache of a corpus; arguments as in `extract_features`."""
    options = {"overwrite": overwrite, "retry": retry, "workers": workers, "progress": progress}
    return run_job(FaceJob(corpus, spec, cache_root, device=device), corpus, **options)


def run_job(job: Job, corpus: Corpus, *, overwrite: bool, retry: bool, workers: int, progress: bool) -> Path:
    """Brings one cache up to date with the corpus.

    Segments finished by an interrupted run are taken over; clips already in the cache are never computed again.

    Raises:
        UserError: see `extract_features`
    """
    try:
        job.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(job.path):
            if overwrite:
                job.path.unlink(missing_ok=True)
                shutil.rmtree(segment_folder(job.path), ignore_errors=True)
            _complete(job, corpus, retry=retry, workers=workers, progress=progress)
        write_failures(job.path.parent.parent)
    except OSError as error:  # clips' own are statuses by now, so this is about the cache
        why = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(
            f"{job.path} cannot be written: {why}. What is finished is kept: run the same command again when there is "
            "room, or name another --cache."
        ) from error
    except KeyboardInterrupt:
        logger.info("Stopped. What is finished is kept: run the same command again to go on.")
        raise
    return job.path


def _complete(job: Job, corpus: Corpus, *, retry: bool, workers: int, progress: bool) -> None:
    """Computes what the cache lacks, and merges it in."""
    for leftover in job.path.parent.glob(f".{job.path.name}.*.partial"):  # of a run killed while merging
        leftover.unlink()
    done = _finished(job, retry)
    rows = {row["name"]: row for row in corpus.table.to_dict("records")}
    if done.keys() & rows.keys():
        _warn_of_another_root(job)
    missing = [name for name in rows if name not in done]
    if not missing:
        shutil.rmtree(segment_folder(job.path), ignore_errors=True)  # of a run killed right after merging
        logger.info("%s/%s: all %d clips are there, nothing to extract", job.modality, job.name, len(rows))
        return
    segments = plan_segments(missing, job.path)
    todo = {path: [rows[name] for name in names] for path, names in segments.items() if not _is_ours(path, job)}
    at_start = len(rows) - sum(map(len, todo.values()))
    label = f"{job.modality}/{job.name}"
    with tqdm(total=len(rows), initial=at_start, desc=label, unit="clip", disable=not progress) as bar:
        for count in _make_segments(job, todo, workers):
            bar.update(count)
    order = [*rows, *(name for name in done if name not in rows)]  # clips that left the corpus are not thrown away
    parts = [*segments, *([job.path] if done else [])]
    merge(job.path, job.header, parts, order)
    shutil.rmtree(segment_folder(job.path))


def _finished(job: Job, retry: bool) -> dict[str, None]:
    """Returns the clips that need no work, in the order of the cache."""
    if not job.path.exists():
        return {}
    with Cache(job.path) as cache:
        cache.expect(job.header.identity)
        names = [n for n, status in zip(cache.names, cache.status, strict=True) if not retry or status == Status.OK]
    return dict.fromkeys(names)


def _warn_of_another_root(job: Job) -> None:
    """Clips are known by their names, and two tables in two folders may be called the same: nothing else would tell."""
    with Cache(job.path) as cache:
        if cache.root and cache.root != job.header.root:
            logger.warning(
                "%s was made from clips in %s; those of the same name in %s are taken to be the same. If they are not, "
                "use another --cache, or write 'name: ...' into a .yaml beside the CSV.",
                job.path, cache.root, job.header.root,
            )  # fmt: skip


def _is_ours(path: Path, job: Job) -> bool:
    """Whether a segment was finished by an earlier run of the very same encoder; one of another is removed."""
    if not path.exists():
        return False
    with Cache(path) as cache:
        if cache.identity == job.header.identity:
            return True
    path.unlink()
    return False


def _make_segments(job: Job, todo: dict[Path, list[Row]], workers: int) -> Iterator[int]:
    """Makes the segments and yields the number of clips of each as it is done."""
    if workers <= 1 or len(todo) <= 1:
        for path, rows in todo.items():
            yield make_segment(job, rows, path)
        return
    # Spawned, not forked: torch and HDF5 do not survive a fork.
    context = multiprocessing.get_context("spawn")
    workers = min(workers, len(todo))
    with ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(job, workers)) as pool:
        waiting = {pool.submit(_work, rows, path) for path, rows in todo.items()}
        try:
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from [future.result() for future in finished]
        except BrokenProcessPool as error:
            raise UserError(
                f"A worker of {job.modality}/{job.name} was killed, most likely for want of memory. What is finished "
                f"is kept: run the same command again, with fewer --workers than {workers}."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


_job: Job | None = None  # the job of this worker process, so that its encoder is built once


def _start_worker(job: Job, workers: int) -> None:
    global _job
    _job = job
    threads = max(1, count_cores() // workers)  # workers share the cores instead of fighting for them
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def _work(rows: list[Row], path: Path) -> int:
    return make_segment(_job, rows, path)

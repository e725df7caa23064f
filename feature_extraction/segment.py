"""A segment: a few clips whose records stand in a file of their own until all of them are there."""

import hashlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from feature_extraction.job import Job
from feature_extraction.source import Row
from toolkit.cache import CacheWriter, Record
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

logger = logging.getLogger(__name__)

# A killed run loses at most this many clips per worker. Fixed, because clips are batched within a segment only:
# a resumed run must form the very batches of an uninterrupted one to be equal to it bit for bit.
SEGMENT_CLIPS = 16
_AHEAD = 4  # clips decoded while the encoder is busy, the bound of memory together with the batch


def segment_folder(cache: Path) -> Path:
    """Returns the folder of a cache's segments, beside it."""
    return cache.with_name(f"{cache.name}.segments")


def plan_segments(names: Sequence[str], cache: Path) -> dict[Path, Sequence[str]]:
    """Returns which clips go into which segment file; a file's name is a hash of its clips' names.

    Args:
        names: clips in the order of the corpus
        cache: the cache file they are for
    """
    pieces = [names[start : start + SEGMENT_CLIPS] for start in range(0, len(names), SEGMENT_CLIPS)]
    return {segment_folder(cache) / f"{_digest(piece)}.h5": piece for piece in pieces}


def make_segment(job: Job, rows: Sequence[Row], path: Path) -> int:
    """Reads, encodes and writes the clips of one segment.

    Args:
        job: what is to be made
        rows: rows of the corpus table
        path: file to write

    Returns:
        number of clips

    Raises:
        UserError: the encoder cannot run
        RuntimeError: the encoder ended in an unforeseen exception, the cause, for every clip and has no segment yet
    """
    usable = 0
    errors: list[Exception] = []
    with CacheWriter(path, job.header) as writer:
        for batch in _batches(job, _load_ahead(job, rows)):
            for record in _encode(job, batch, errors):
                writer.append(record)
            usable += sum(not isinstance(item, ClipError) for _, item in batch)
        # A clip may be odd, or a few in a row; when there is nothing else, it is the encoder.
        if usable == len(errors) > 1 and not any(path.parent.glob("[!.]*.h5")):
            raise RuntimeError(f"{job.modality}/{job.name} failed for each of {usable} clips") from errors[0]
    return len(rows)


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:20]


def _load(job: Job, row: Row) -> Any:
    try:
        return job.source.load(row)
    except ClipError as error:
        return error
    except UserError:
        raise
    except Exception as error:
        return _unforeseen(job, row["name"], error)


def _unforeseen(job: Job, name: str, error: Exception) -> ClipError:
    """Logs an exception with its traceback, so that it is not lost, and returns what becomes of its clip."""
    logger.error("%s/%s: unforeseen error in clip '%s'", job.modality, job.name, name, exc_info=error)
    lines = str(error).strip().splitlines()
    return ClipError(Status.ERROR, f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _load_ahead(job: Job, rows: Iterable[Row]) -> Iterator[tuple[str, Any]]:
    """Yields names with their material, or the `ClipError` met, in order; a thread reads ahead."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque = deque()
        for row in rows:
            waiting.append((row["name"], thread.submit(_load, job, row)))
            if len(waiting) > _AHEAD:
                name, future = waiting.popleft()
                yield name, future.result()
        for name, future in waiting:
            yield name, future.result()


def _batches(job: Job, items: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    """Yields lists of clips that fit the source's budget; a clip larger than the budget goes alone."""
    batch: list[tuple[str, Any]] = []
    total = 0.0
    for name, item in items:
        size = 0.0 if isinstance(item, ClipError) else job.source.size(item)
        if batch and total + size > job.source.budget:
            yield batch
            batch, total = [], 0.0
        batch.append((name, item))
        total += size
    if batch:
        yield batch


def _encode(job: Job, batch: list[tuple[str, Any]], errors: list[Exception]) -> list[Record]:
    """Returns the records of a batch in its order, failed ones where the material could not be read.

    Args:
        job: what encodes
        batch: names with their material, or the `ClipError` met
        errors: unforeseen exceptions are added here, one per clip
    """
    usable = [(name, item) for name, item in batch if not isinstance(item, ClipError)]
    records = {record.name: record for record in _encode_usable(job, usable, errors)}
    for name, item in batch:
        if isinstance(item, ClipError):
            records[name] = Record(name, item.status, item.reason)
    return [records[name] for name, _ in batch]


def _encode_usable(job: Job, batch: list[tuple[str, Any]], errors: list[Exception]) -> list[Record]:
    """Returns the records of clips that could be read; where a batch fails, its clips are encoded one by one."""
    if not batch:
        return []
    job.prepare()
    try:
        return job.encode(batch)
    except UserError:
        raise
    except Exception as error:
        if len(batch) > 1:
            return [record for clip in batch for record in _encode_usable(job, [clip], errors)]
        errors.append(error)
        ((name, _),) = batch
        failure = _unforeseen(job, name, error)
        return [Record(name, failure.status, failure.reason)]

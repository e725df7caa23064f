"""Material: the clips of a segment read, in batches that fit the memory."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from feature_extraction.segment import Segment
from feature_extraction.source import Row, Source
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

logger = logging.getLogger(__name__)

Named = tuple[str, Any]  # a clip's name with its material, or the ClipError met
_AHEAD = 2  # clips that may be ready, per reading thread


def read_batches(source: Source, segments: Iterable[Segment], threads: int) -> Iterator[tuple[Segment, list[Named]]]:
    """Yields the batches of each segment in order; several threads read.

    Args:
        source: reads a clip
        segments: what to read
        threads: how many clips are read at once
    """
    with ThreadPoolExecutor(threads) as pool:
        for segment in segments:
            clips = _read(source, segment.rows, pool, threads * _AHEAD)
            for batch in batches(source, clips):
                yield segment, batch


def batches(source: Source, clips: Iterable[Named]) -> Iterator[list[Named]]:
    """Yields lists of clips that fit the source's budget; a clip larger than the budget goes alone."""
    batch: list[Named] = []
    total = 0.0
    for name, item in clips:
        size = 0.0 if isinstance(item, ClipError) else source.size(item)
        if batch and total + size > source.budget:
            yield batch
            batch, total = [], 0.0
        batch.append((name, item))
        total += size
    if batch:
        yield batch


def unforeseen(label: str, name: str, error: Exception) -> ClipError:
    """Logs an exception with its traceback, so that it is not lost, and returns what becomes of its clip."""
    logger.error("%s: unforeseen error in clip '%s'", label, name, exc_info=error)
    lines = str(error).strip().splitlines()
    return ClipError(Status.ERROR, f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _read(source: Source, rows: Sequence[Row], pool: ThreadPoolExecutor, ahead: int) -> Iterator[Named]:
    waiting: deque = deque()
    try:
        for row in rows:
            waiting.append((row["name"], pool.submit(_load, source, row)))
            if len(waiting) > ahead:
                name, future = waiting.popleft()
                yield name, future.result()
        while waiting:
            name, future = waiting.popleft()
            yield name, future.result()
    finally:
        for _, future in waiting:
            future.cancel()


def _load(source: Source, row: Row) -> Any:
    try:
        return source.load(row)
    except ClipError as error:
        return error
    except UserError:
        raise
    except Exception as error:  # one odd file costs one clip
        return unforeseen("reading", row["name"], error)

"""Blocks: going through arrays larger than memory a few rows at a time."""

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 8 * 1024 * 1024  # a handful of blocks on the way, converted and buffered, stay under 64 MB


def spans(start: int, stop: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    """Yields the first row, and the one after the last, of blocks of at most `BLOCK_BYTES`, one row at least.

    Args:
        start: first row
        stop: the row after the last
        row_bytes: bytes of one row

    Examples:
        >>> list(spans(5, 8, BLOCK_BYTES // 2))
        [(5, 7), (7, 8)]
    """
    step = max(1, BLOCK_BYTES // max(1, row_bytes))
    for first in range(start, stop, step):
        yield first, min(first + step, stop)


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the rows of an array in blocks, views of it that hold until the next is asked for.

    An array that is mapped from a file is read block by block and let go of behind: its pages count as this process'
    memory from the first look at them on, although they could be had from the file again at any time.

    Args:
        values: ``(n, ...)``
    """
    for start, stop in spans(0, len(values), values.nbytes // max(1, len(values))):
        yield values[start:stop]
        let_go(values)


def let_go(values: np.ndarray) -> None:
    """Gives back the memory of an array that is mapped from a file; looking at it again fetches it again."""
    mapping = _mapping(values)
    if mapping is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapping(values: np.ndarray) -> mmap.mmap | None:
    """Returns the read-only map of a file that an array looks into, None where there is none or no way to let go."""
    owner: object = values
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    # A map that may be written to could hold what no file holds.
    if isinstance(owner, mmap.mmap) and hasattr(owner, "madvise") and memoryview(owner).readonly:
        return owner
    return None


def consecutive(numbers: np.ndarray) -> list[tuple[int, int]]:
    """Returns the runs of row numbers that follow each other, as the first and the one after the last of each.

    Args:
        numbers: ``(n,)`` integers

    Examples:
        >>> consecutive(np.array([4, 5, 6, 2, 3, 3]))
        [(4, 7), (2, 4), (3, 4)]
    """
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    firsts, lasts = numbers[[0, *breaks]], numbers[[*(breaks - 1), -1]]
    return list(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))

"""Merging caches: many parts become one file in which every field lies end to end."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from toolkit.blocks import consecutive
from toolkit.cache.disk import require_space
from toolkit.cache.reader import Cache
from toolkit.cache.record import Header
from toolkit.cache.writer import CacheWriter

_OPEN_PARTS = 16  # files open at once; a large corpus has more parts than a process may open

Run = tuple[Cache, int, int]  # clips that follow each other in a part: number of the first, of the one after the last


def merge(path: Path, header: Header, parts: Iterable[Path], names: Sequence[str], *, half: bool = False) -> None:
    """Makes one cache out of several; the first part that has a clip gives it.

    Args:
        path: file to make; it may be one of the parts
        header: attributes of the new file
        parts: cache files of the same identity
        names: the clips in the order wanted
        half: stores float32 data as float16

    Raises:
        KeyError: no part has one of the names
        OSError: the disk has no room for it
    """
    runs = _plan(parts, names)
    rows, size = _measure(runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    require_space(path.parent, size // 2 if half else size)  # told before the work, not after
    opened: deque[Cache] = deque()
    with CacheWriter(path, header, half=half, rows=rows) as writer:
        for cache, start, stop in runs:
            if cache not in opened:
                opened.append(cache)
                if len(opened) > _OPEN_PARTS:
                    opened.popleft().close()
            writer.copy(cache, start, stop)
        while opened:
            opened.pop().close()


def _plan(parts: Iterable[Path], names: Sequence[str]) -> list[Run]:
    """Returns where the clips are, in the order wanted; neighbours are taken together."""
    place: dict[str, tuple[Cache, int]] = {}
    for part in parts:
        with Cache(part) as cache:
            for number, name in enumerate(cache.names):
                place.setdefault(name, (cache, number))
            _ = [cache.offset(field) for field in cache.fields if "/" in field]  # while it is open
    return [
        (cache, *run)
        for cache, numbers in groupby((place[name] for name in names), key=itemgetter(0))
        for run in consecutive(np.array([number for _, number in numbers]))
    ]


def _measure(runs: Sequence[Run]) -> tuple[dict[str, int], int]:
    """Returns how many rows each field will have, and how many bytes all of them."""
    rows: dict[str, int] = {}
    row_bytes: dict[str, int] = {}
    clips = sum(stop - start for _, start, stop in runs)
    for cache, start, stop in runs:
        for field in cache.fields:
            row_bytes[field] = cache.file.datasets[field].row_bytes
            if "/" in field:
                offset = cache.offset(field)
                rows[field] = rows.get(field, 0) + offset.item(stop) - offset.item(start)
            else:
                rows[field] = clips  # those without one get a row of NaN
    return rows, sum(count * row_bytes[field] for field, count in rows.items())

"""What a cache holds, in words, and whether it is sound."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from toolkit.cache.reader import Cache
from toolkit.status import Status


def describe(path: Path) -> list[str]:
    """Returns lines that say what a cache holds.

    Raises:
        UserError: it cannot be opened
    """
    cache = Cache(path)
    counts = Counter(cache.status)
    lines = [
        f"{cache.path}",
        f"corpus    {cache.corpus}",
        f"encoder   {cache.spec.get('name')}  (identity {cache.identity})",
        f"licence   {cache.spec.get('licence')}",
        f"created   {cache.created}  ({', '.join(f'{k} {v}' for k, v in cache.versions.items())})",
        f"clips     {len(cache)}: {', '.join(f'{n} {status}' for status, n in counts.most_common())}",
    ]
    lines += [f"{field:<16} {' x '.join(map(str, shape))}" for field, shape in cache.fields.items()]
    return lines


def verify(path: Path) -> list[str]:
    """Returns what is wrong with a cache, nothing where it is sound.

    Checked: names are unique, statuses known, offsets rise from zero to the number of rows, values of usable clips
    are finite, and every failed clip has a reason.

    Raises:
        UserError: it cannot be opened at all
    """
    cache = Cache(path)
    ok = np.array([status == Status.OK for status in cache.status])
    problems = [f"clip '{name}' stands {n} times" for name, n in Counter(cache.names).items() if n > 1]
    problems += [f"unknown status '{status}'" for status in sorted(set(cache.status) - set(Status))]
    problems += [
        f"clip '{name}' failed without a reason"
        for name, status, reason in zip(cache.names, cache.status, cache.reason, strict=True)
        if status != Status.OK and not reason
    ]
    for field, shape in cache.fields.items():
        if "/" in field:
            problems += _check_offsets(cache, field, shape[0])
            if not all(finite.all() for _, finite in _finite(cache, field)):
                problems.append(f"{field} has values that are not finite")
        elif shape[0] != len(cache):
            problems.append(f"{field} has {shape[0]} rows, expected {len(cache)}")
        else:
            bad = [start + row for start, finite in _finite(cache, field) for row in np.flatnonzero(~finite)]
            problems += [f"{field} of '{cache.names[number]}' is not finite" for number in bad if ok[number]]
    cache.close()
    return problems


def _check_offsets(cache: Cache, field: str, rows: int) -> list[str]:
    offset = cache.file.hdf5[field.partition("/")[0]]["offset"][:]
    if len(offset) != len(cache) + 1 or offset[0] != 0 or (np.diff(offset) < 0).any() or offset[-1] != rows:
        return [f"offsets of {field} do not fit its {rows} rows and {len(cache)} clips"]
    return []


def _finite(cache: Cache, field: str) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the first row of each block and which of its rows are finite, whatever the cache's size."""
    if cache.file.datasets[field].dtype.kind != "f":
        return
    start = 0
    for block in cache.file.blocks(field, 0, cache.fields[field][0]):
        yield start, np.isfinite(block.reshape(len(block), -1)).all(axis=1)
        start += len(block)

"""What a cache holds, in words, and whether it is sound."""

from collections import Counter
from pathlib import Path

import h5py
import numpy as np

from toolkit.cache.reader import Cache
from toolkit.status import Status

_ROWS = 65536  # rows looked at in one go, so that a cache larger than memory can be checked


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
    with h5py.File(path, "r") as file:
        for field, shape in cache.fields.items():
            group, slash, _ = field.partition("/")
            if slash:
                problems += _check_offsets(file[group]["offset"][:], len(cache), shape[0], field)
                problems += [f"{field} has values that are not finite" for _ in range(not _finite(file[field]))]
            elif shape[0] != len(cache):
                problems.append(f"{field} has {shape[0]} rows, expected {len(cache)}")
            else:
                bad = np.flatnonzero(ok & ~np.isfinite(file[field][:].reshape(len(cache), -1)).all(axis=1))
                problems += [f"{field} of '{cache.names[number]}' is not finite" for number in bad]
    return problems


def _check_offsets(offset: np.ndarray, clips: int, rows: int, field: str) -> list[str]:
    if len(offset) != clips + 1 or offset[0] != 0 or (np.diff(offset) < 0).any() or offset[-1] != rows:
        return [f"offsets of {field} do not fit its {rows} rows and {clips} clips"]
    return []


def _finite(dataset: h5py.Dataset) -> bool:
    if dataset.dtype.kind != "f":
        return True
    return all(np.isfinite(dataset[start : start + _ROWS]).all() for start in range(0, dataset.shape[0], _ROWS))

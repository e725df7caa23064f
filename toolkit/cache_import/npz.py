"""npz files: an array of names, and arrays of features beside it."""

from pathlib import Path

import numpy as np

from toolkit import damage
from toolkit.cache_import.arrays import USUAL_KEYS, Arrays, Part
from toolkit.cache_import.spec import Modality
from toolkit.errors import UserError

_NAMES = ("name", "names")
_NAME_PARTS = ("video_id", "utterance_no")  # of the MOSI utterances; together they make a name


def open_npz(path: Path, modality: Modality, key: str | None = None) -> Arrays:
    """Returns the features of an npz file, which is never unpickled.

    It holds the names of the clips, as ``name`` or as ``video_id`` and ``utterance_no``, which are joined by ``_``; and
    in the same order vectors ``(N, D)``, or frames ``(N, T, D)`` with ``KEY_lengths (N,)`` to tell them from padding.
    One array is in memory at a time.

    Args:
        path: the file
        modality: of the features, which has a usual key
        key: name of the array

    Raises:
        UserError: it is no npz file, lacks the names or the key, or holds Python objects
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        with file:
            names = _names(path, file)
            key = pick_key(path, sorted(set(file.files) - {*_NAMES, *_NAME_PARTS}), modality, key)
            values = file[key]
            lengths = file[f"{key}_lengths"] if f"{key}_lengths" in file.files else None
        real = None if lengths is None or values.ndim != 3 else frames_before(lengths, values.shape[1])
    except damage.NPZ as error:
        expected = "Expected arrays of numbers, and names as an array of strings, as numpy.savez writes them."
        raise UserError(f"{path} cannot be read ({' '.join(str(error).split())}). {expected}") from error
    return Arrays(path, "npz file", key, [Part(names, values, real)])


def frames_before(lengths: np.ndarray, frames: int) -> np.ndarray:
    """Returns ``(N, frames)``, true for the first frames of each clip.

    Args:
        lengths: how many of each clip, ``(N,)``
        frames: how many there are with padding

    Examples:
        >>> frames_before(np.array([1, 3]), 3).astype(int).tolist()
        [[1, 0, 0], [1, 1, 1]]
    """
    return np.arange(frames) < lengths.reshape(-1, 1)


def pick_key(path: Path, there: list[str], modality: Modality, key: str | None) -> str:
    """Returns the name of the array to take: the one asked for, or the modality's usual one.

    Raises:
        UserError: it is not there
    """
    wanted = USUAL_KEYS[modality] if key is None else (key,)
    for candidate in wanted:
        if candidate in there:
            return candidate
    raise UserError(f"{path} has no array '{' or '.join(wanted)}'. Name one with --key; it has: {', '.join(there)}.")


def _names(path: Path, file: np.lib.npyio.NpzFile) -> list[str]:
    for key in _NAMES:
        if key in file.files:
            return _words(file[key])
    if all(key in file.files for key in _NAME_PARTS):
        return ["_".join(parts) for parts in zip(*(_words(file[key]) for key in _NAME_PARTS), strict=True)]
    raise UserError(f"{path} names no clips: it has {', '.join(file.files)}. Add an array 'name' of strings.")


def _words(values: np.ndarray) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.ravel().tolist()]

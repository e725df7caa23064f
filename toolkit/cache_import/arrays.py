"""Arrays that hold the features of many clips, with frames padded to one length."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from toolkit.cache_import.origin import Origin
from toolkit.cache_import.spec import Modality
from toolkit.errors import UserError

# What an array of a modality is called where nobody says (--key): MMSA's, and those of the MOSI utterances.
USUAL_KEYS: dict[Modality, tuple[str, ...]] = {
    "audio": ("audio",),
    "text": ("text",),
    "visual": ("visual", "vision", "video"),
}


class Part(NamedTuple):
    """Features of some clips.

    Attributes:
        names: of the clips
        values: vectors ``(N, D)`` or padded frames ``(N, T, D)``
        real: which frames are no padding, ``(N, T)`` boolean, where the file tells
        sure: false where that was said of another array, which this one may not follow
    """

    names: Sequence[str]
    values: np.ndarray
    real: np.ndarray | None = None
    sure: bool = True


class Arrays(Origin):
    """Features in the memory of this process.

    Args:
        path: the file they come from
        kind: what it is, in words
        key: name of the array in it
        parts: its clips

    Raises:
        UserError: the array is no table of numbers, has not a row for each name, or two clips have the same name
    """

    def __init__(self, path: Path, kind: str, key: str, parts: Sequence[Part]) -> None:
        super().__init__(path)
        self.kind, self.key = kind, key
        for part in parts:
            _check(path, key, part)
        self.level = "frame" if parts[0].values.ndim == 3 else "utterance"
        self.names = {name: (part, row) for part in parts for row, name in enumerate(part.names)}
        if len(self.names) < sum(len(part.names) for part in parts):
            raise UserError(f"{path} has two clips of one name among its {sum(len(part.names) for part in parts)}.")

    def read(self, name: str) -> np.ndarray:
        """Returns the clip's row, padding removed; see `Origin`."""
        part, row = self.names[name]
        values = part.values[row]
        if values.ndim == 1:
            return values
        return without_padding(values, None if part.real is None else part.real[row], sure=part.sure)


def without_padding(values: np.ndarray, real: np.ndarray | None, *, sure: bool = True) -> np.ndarray:
    """Returns the frames of a clip that are no padding.

    Some files are padded at the start although what is said of them counts from there, so that is turned round where
    frames that hold anything would be left out and none would be the other way. Where nothing is said, frames of
    zeros at both ends are padding.

    Args:
        values: ``(T, D)``
        real: ``(T,)`` boolean, what is said to be no padding
        sure: believe it even where frames that hold something are left out either way

    Examples:
        >>> values = np.array([[0.0], [0.0], [3.0], [0.0], [4.0]])
        >>> without_padding(values, np.array([True, True, True, False, False])).ravel().tolist()
        [3.0, 0.0, 4.0]
        >>> without_padding(values, None).ravel().tolist()
        [3.0, 0.0, 4.0]
    """
    if real is not None:
        for guess in (real, real[::-1]):
            if not values[~guess].any():
                return values[guess]
        if sure:
            return values[real]
    filled = np.flatnonzero(values.any(axis=1))
    return values[filled[0] : filled[-1] + 1] if len(filled) else values[:0]


def _check(path: Path, key: str, part: Part) -> None:
    values = part.values
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3):
        raise UserError(
            f"'{key}' in {path} has shape {values.shape} and type {values.dtype}. Expected numbers, (clips, D) or "
            "(clips, frames, D)."
        )
    if len(values) != len(part.names):
        raise UserError(f"'{key}' in {path} has {len(values)} rows for {len(part.names)} names. Expected one each.")
    if part.real is not None and part.real.shape != values.shape[:2]:
        raise UserError(
            f"{path} says of {part.real.shape} frames whether they are padding; '{key}' has {values.shape[:2]}."
        )

"""What was found of a clip, checked and made ready for a cache."""

import numpy as np

from toolkit.cache import Record
from toolkit.cache_import.origin import Level
from toolkit.cache_import.spec import ImportedSpec, Modality
from toolkit.errors import ClipError
from toolkit.status import Status

# What became of a clip of which there is nothing: MERTools saves an empty array where it found no face.
_EMPTY: dict[Modality, Status] = {
    "audio": Status.TOO_SHORT,
    "text": Status.EMPTY_TEXT,
    "visual": Status.NO_FACE,
}
# Zeros stand for it too: MERTools writes them for no words, MMSA for no face.
_ZEROS = _EMPTY | {"audio": Status.SILENT}


def record_of(name: str, values: np.ndarray, spec: ImportedSpec, level: Level, dim: int | None) -> Record:
    """Returns the record of a clip; its utterance vector is the mean of the frames.

    The middle of frame ``n`` is put at ``(n + 0.5) / rate`` seconds. Where the rate is not known there is no
    ``frames/time``: what reads it expects seconds, and would take frame numbers for them.

    Args:
        name: clip name
        values: ``(D,)`` or ``(T, D)``
        spec: says modality and frame rate
        level: ``frame`` keeps the frames too
        dim: numbers per frame that the clips have, ``None`` where that is not known

    Raises:
        ClipError: there is nothing of the clip, or it cannot be used
    """
    frames = frames_of(values)
    if not frames.size:
        raise ClipError(_EMPTY[spec.modality], "the array is empty")
    if dim is not None and frames.shape[1] != dim:
        raise ClipError(Status.UNREADABLE, f"has {frames.shape[1]} numbers per frame, the others have {dim}")
    finite = np.isfinite(frames).all(axis=1)
    if not finite.all():
        raise ClipError(Status.NOT_FINITE, f"NaN or infinity in {int((~finite).sum())} of {len(frames)} frames")
    if not frames.any():
        raise ClipError(_ZEROS[spec.modality], "all numbers are zero, which stands for nothing found")
    row = {"utterance": frames.mean(axis=0, dtype=np.float64).astype(np.float32)}
    if level == "utterance":
        return Record(name, row=row)
    ragged = {"frames/values": frames}
    if spec.frame_rate is not None:
        ragged["frames/time"] = (np.arange(len(frames)) + 0.5) / spec.frame_rate
    return Record(name, row=row, ragged=ragged)


def frames_of(values: np.ndarray) -> np.ndarray:
    """Returns frames ``(T, D)`` float32, one of a vector; further axes must have length one.

    Raises:
        ClipError: other axes, or no numbers

    Examples:
        >>> frames_of(np.zeros((1, 3, 4))).shape, frames_of(np.zeros(4)).shape
        ((3, 4), (1, 4))
    """
    if values.dtype.kind not in "fiub":
        raise ClipError(Status.UNREADABLE, f"holds values of type {values.dtype}, no numbers")
    shape = values.shape
    while values.ndim > 2 and 1 in values.shape[:-1]:
        values = values.squeeze(values.shape.index(1))
    if values.ndim not in (1, 2):
        raise ClipError(Status.UNREADABLE, f"has shape {shape}, expected (D,) or (frames, D)")
    with np.errstate(over="ignore"):  # infinity is reported as such
        return np.atleast_2d(values).astype(np.float32, copy=False)

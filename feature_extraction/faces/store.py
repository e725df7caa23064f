"""Face tracks in and out of the faces cache; the crops are kept as JPEG."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.faces.reel import KeptTrack
from feature_extraction.faces.track import FaceTrack
from toolkit.blocks import let_go
from toolkit.cache import Record
from toolkit.errors import ClipError
from toolkit.spool import Spool
from toolkit.status import Status

if TYPE_CHECKING:
    from toolkit.cache import Cache

BLOCK = 64  # crops decoded at once


def to_record(name: str, track: KeptTrack) -> Record:
    """Returns the row of the faces cache that holds a track.

    Args:
        name: clip name
        track: the speaker's face

    Returns:
        groups ``frames`` (time, box, points, probability, size in bytes) and ``jpeg`` (the files end to end)
    """
    ragged = {
        "frames/time": track.times,
        "frames/box": track.boxes,
        "frames/points": track.points,
        "frames/probability": track.probabilities,
        "frames/size": track.sizes,
        "jpeg/bytes": track.files,
    }
    return Record(name, ragged=ragged)


def read_track(cache: "Cache", name: str) -> FaceTrack:
    """Returns a clip's track out of a faces cache.

    Args:
        cache: the faces cache
        name: clip name

    Raises:
        ClipError: the clip has no face; status and reason are the cache's
        UserError: the cache does not hold the clip
    """
    record = cache.clip(name)
    if record.status is not Status.OK:
        raise ClipError(record.status, record.reason)
    fields = record.ragged
    frames = (fields[f"frames/{field}"] for field in ("size", "time", "box", "points", "probability"))
    return decoded(KeptTrack(fields["jpeg/bytes"], *frames))


def decoded(track: KeptTrack) -> FaceTrack:
    """Returns a track with its crops as pixels, the same whether it was in a cache or not.

    The crops of a long clip are decoded into a temporary file and mapped from there, read-only.
    """
    ends = np.cumsum(track.sizes)
    crops = Spool()
    for first in range(0, len(ends), BLOCK):
        pairs = zip(ends[first : first + BLOCK].tolist(), track.sizes[first : first + BLOCK].tolist(), strict=True)
        crops.append(decode_crops([track.files[end - size : end] for end, size in pairs]))
        let_go(track.files)
    return FaceTrack(crops.array(), track.times, track.boxes, track.points, track.probabilities)


def decode_crops(files: Sequence[np.ndarray]) -> np.ndarray:
    """Returns crops ``(T, H, W, 3)`` uint8 RGB out of at least one JPEG file ``(bytes,)`` uint8, all of one size."""
    import cv2

    crops: np.ndarray | None = None
    for number, file in enumerate(files):
        picture = cv2.imdecode(file, cv2.IMREAD_COLOR)
        if crops is None:
            crops = np.empty((len(files), *picture.shape), np.uint8)
        cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=crops[number])
    return crops

"""A face track in the making: its crops are kept as JPEG from the first, so that hours of them fit anywhere."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from toolkit.spool import Spool

if TYPE_CHECKING:
    from feature_extraction.faces.track import FaceTrack

LIMIT = 16 << 20  # bytes of JPEG that one track keeps in memory, some thousand crops; then a temporary file takes them

_ROW = np.dtype([("time", "f8"), ("box", "f4", 4), ("points", "f4", (5, 2)), ("probability", "f4"), ("size", "i8")])
_UNKNOWN = {"box": np.full(4, np.nan), "points": np.full((5, 2), np.nan)}


class KeptTrack(NamedTuple):
    """The speaker's face in one clip, as the faces cache keeps it.

    Attributes:
        files: ``(bytes,)`` uint8, a JPEG file per crop, end to end; mapped from a temporary file where they are many
        sizes: ``(T,)`` int64, length of each file in bytes
        times: ``(T,)`` float64, seconds from the clip's start
        boxes: ``(T, 4)`` float32, x1 y1 x2 y2 in pixels of the upright frame, NaN where there are none
        points: ``(T, 5, 2)`` float32, x y of eyes, nose tip and mouth corners in such pixels, or NaN
        probabilities: ``(T,)`` float32, of being a face, or NaN
    """

    files: np.ndarray
    sizes: np.ndarray
    times: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    probabilities: np.ndarray


class Reel:
    """Takes the crops of one face, frame by frame.

    Args:
        quality: JPEG quality, 1 to 100
    """

    def __init__(self, quality: int) -> None:
        self.quality = quality
        self._files = Spool(LIMIT)
        self._rows = Spool()

    def add(
        self,
        crop: np.ndarray,
        time: float,
        box: np.ndarray = _UNKNOWN["box"],
        points: np.ndarray = _UNKNOWN["points"],
        probability: float = np.nan,
    ) -> None:
        """Adds the face of the next frame.

        Args:
            crop: ``(H, W, 3)`` uint8 RGB, of the same size as those before
            time: seconds from the clip's start
            box: ``(4,)``
            points: ``(5, 2)``
            probability: of being a face
        """
        file = encode_crop(crop, self.quality)
        self._files.append(file)
        self._rows.append(np.array([(time, box, points, probability, len(file))], _ROW))

    def track(self) -> KeptTrack:
        """Returns what was added, at least one crop."""
        rows = self._rows.array()
        columns = (np.ascontiguousarray(rows[name]) for name in ("size", "time", "box", "points", "probability"))
        return KeptTrack(self._files.array(), *columns)


def keep(track: "FaceTrack", quality: int) -> KeptTrack:
    """Returns a track as the faces cache keeps it.

    Args:
        track: at least one crop
        quality: JPEG quality, 1 to 100
    """
    reel = Reel(quality)
    for face in zip(*track, strict=True):
        reel.add(*face)
    return reel.track()


def encode_crop(crop: np.ndarray, quality: int) -> np.ndarray:
    """Returns a picture ``(H, W, 3)`` uint8 RGB as a JPEG file ``(bytes,)`` uint8, colours at full resolution."""
    import cv2

    colours = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, *colours]
    return cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), options)[1]  # OpenCV thinks in BGR

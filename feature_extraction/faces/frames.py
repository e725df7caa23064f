"""Whole frames in place of faces, for encoders that are to see the scene."""

from pathlib import Path

import numpy as np

from feature_extraction.ahead import ahead
from feature_extraction.faces.detect import ClipDetector, detectors
from feature_extraction.faces.reel import KeptTrack, Reel
from feature_extraction.faces.spec import FaceSpec
from toolkit.media import iterate_frames


@detectors.add("frames")
class WholeFrames(ClipDetector):
    """Keeps every frame looked at, shrunk, and looks for nothing: boxes, points and probabilities are NaN.

    Args:
        spec: ``frame_rate``, ``crop_size`` (length of a frame's shorter side) and ``quality`` are used here
        device: ignored
        weights: ignored
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        self.spec = spec

    def extract(self, path: Path) -> KeptTrack:
        """Returns the frames of one clip, all of the first one's size.

        Raises:
            ClipError: ``missing``, ``unreadable`` or ``no_video`` as `toolkit.media.iterate_frames`
        """
        import cv2

        reel = Reel(self.spec.quality)
        size: tuple[int, int] | None = None
        for image, time in ahead(iterate_frames(path, rate=self.spec.frame_rate)):
            size = size or shrunk_size(image, self.spec.crop_size)
            if image.shape[1::-1] != size:
                image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            reel.add(image, time)
        return reel.track()


def shrunk_size(image: np.ndarray, side: int) -> tuple[int, int]:
    """Returns width and height of a picture once its shorter side is ``side``; a smaller picture keeps its own.

    Args:
        image: ``(H, W, 3)``
        side: in pixels

    Examples:
        >>> shrunk_size(np.empty((1080, 1920, 3)), 256), shrunk_size(np.empty((200, 300, 3)), 256)
        ((455, 256), (300, 200))
    """
    height, width = image.shape[:2]
    scale = min(1.0, side / min(height, width))
    return round(width * scale), round(height * scale)

"""The frames of a video that are looked at, decoded ahead of the search."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from feature_extraction.ahead import ahead
from feature_extraction.faces.spec import FaceSpec
from toolkit.media import Frame, iterate_frames

READY_BYTES = 32 << 20  # of frames decoded in advance
THUMBNAIL = (32, 24)  # width and height at which two frames are compared


class FilmFrame(NamedTuple):
    """One frame of a clip.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB, upright
        time: seconds from the clip's start
        is_cut: whether it looks unlike the frame before, so that no face is followed from there
    """

    image: np.ndarray
    time: float
    is_cut: bool = False


class Film:
    """A video being read, iterated over once.

    Its first frames are decoded when it is made. That is best done in a thread which reads while another clip is
    searched: decoding then costs no time of its own. What is left is decoded in a thread while the first is in use.

    Args:
        path: video file
        spec: frame rate, and what counts as a cut

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_video`` as `toolkit.media.iterate_frames`
    """

    def __init__(self, path: Path, spec: FaceSpec) -> None:
        self.path = path
        self._ready: deque[FilmFrame] = deque()
        self._rest: Iterator[FilmFrame] | None = mark_cuts(iterate_frames(path, rate=spec.frame_rate), spec)
        size = 0
        for frame in self._rest:
            self._ready.append(frame)
            size += frame.image.nbytes
            if size >= READY_BYTES:
                break
        else:
            self._rest = None

    def __iter__(self) -> Iterator[FilmFrame]:
        """Yields the frames.

        Raises:
            ClipError: ``unreadable``, where the damage is
        """
        depth = max(1, len(self._ready))
        while self._ready:
            yield self._ready.popleft()
        if self._rest is not None:
            yield from ahead(self._rest, depth)


def mark_cuts(frames: Iterable[Frame], spec: FaceSpec) -> Iterator[FilmFrame]:
    """Yields the frames, those marked that look unlike the one before.

    Args:
        frames: of one clip
        spec: ``min_likeness`` is used here
    """
    before: np.ndarray | None = None
    for frame in frames:
        now = _thumbnail(frame.image)
        yield FilmFrame(*frame, is_cut=before is not None and likeness(before, now) < spec.min_likeness)
        before = now


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the correlation of two pictures of one size, 0 where one of them is flat."""
    first, second = first - first.mean(), second - second.mean()
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else 0.0


def _thumbnail(image: np.ndarray) -> np.ndarray:
    """Returns the picture at ``THUMBNAIL`` as float32, all its pixels counted or, where there are many, a grid."""
    import cv2

    step = max(1, min(image.shape[:2]) // 180)
    return cv2.resize(image[::step, ::step], THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)

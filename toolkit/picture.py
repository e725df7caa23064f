"""Pictures out of a media file: upright RGB frames with their true times."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from toolkit.errors import ClipError
from toolkit.media_file import open_media
from toolkit.status import Status

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

# Frames per second where a stream names none.
_USUAL_RATE = 25.0


class Frame(NamedTuple):
    """One picture of a clip.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB, upright
        time: seconds from the clip's start
    """

    image: np.ndarray
    time: float


def iterate_frames(path: Path | str, *, rate: float | None = None) -> Iterator[Frame]:
    """Yields the frames of a video, one at a time.

    With a rate, time is cut into slots ``1 / rate`` seconds long and the first frame of each slot is taken. The slot
    of tick ``n`` starts half a source frame (at most half a slot) before ``n / rate``, so that a frame that is a
    little early still counts as the one at its tick, and a rate equal to the source's gives every frame once. No
    frame is ever made up or given twice: where the source is slower, or holds still, there are fewer frames. Times
    rise: a frame stamped no later than the one before it is left out.

    Args:
        path: video file
        rate: most frames per second (Hz) that are wanted, ``None`` for every frame there is

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_video``, at the first frame or where the damage is
    """
    from av.video.reformatter import VideoReformatter

    with open_media(path) as media:
        if media.video is None:
            raise ClipError(Status.NO_VIDEO, f"{path}: no picture stream")
        media.video.thread_type = "AUTO"
        reformatter = VideoReformatter()
        period = 1 / frame_rate_of(media.video)
        early = 0.0 if rate is None else min(period, 1 / rate) / 2
        last, slot, matrix = None, -math.inf, None
        for frame, stamp in media.decode(media.video):
            time = stamp if stamp is not None else 0.0 if last is None else last + period
            if last is None:
                matrix = display_matrix(frame)
            elif time <= last:
                continue
            last = time
            if rate is not None:
                own = math.floor((time + early) * rate + 1e-6)
                if own <= slot:
                    continue
                slot = own
            yield Frame(_upright(frame, matrix, reformatter), time)
        if last is None:
            raise ClipError(Status.NO_VIDEO, f"{path}: its picture stream is empty")


def frame_rate_of(stream: "VideoStream") -> float:
    """Returns a stream's mean frames per second."""
    return float(stream.average_rate or stream.guessed_rate or _USUAL_RATE)


def orient(image: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """Turns and mirrors an image as a display matrix says, to the nearest quarter turn.

    Args:
        image: ``(H, W, 3)``
        matrix: nine numbers a b u c d v x y w as in ISO/IEC 14496-12, 8.3.2: a pixel at (p, q) is shown at
            (a p + c q + x, b p + d q + y)

    Returns:
        ``(H, W, 3)`` or ``(W, H, 3)``, contiguous
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(b) + abs(c) > abs(a) + abs(d):
        image = image.swapaxes(0, 1)
        a, d = c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def display_matrix(frame: "VideoFrame") -> tuple[int, ...] | None:
    """Returns the nine numbers of a frame's display matrix, ``None`` where it has none.

    To be asked of the first frame only, for the whole stream: a frame that was asked for its side data holds on to
    itself, and its megabytes go when Python next looks for such circles.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else tuple(np.frombuffer(bytes(data), np.int32).tolist())


def _upright(frame: "VideoFrame", matrix: tuple[int, ...] | None, reformatter: "VideoReformatter") -> np.ndarray:
    # One thread: quicker for small pictures, and the same pixels on every machine.
    image = reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
    return image if matrix is None else orient(image, matrix)

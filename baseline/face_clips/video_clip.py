"""Some pictures out of a video file, without decoding all of it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from baseline.face_clips.clip import Clip, of_one_size
from toolkit.errors import ClipError
from toolkit.media_file import MediaFile, open_media
from toolkit.picture import display_matrix, iterate_frames, orient
from toolkit.status import Status

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_ALIKE = 1e-4  # seconds; stamps of two pictures are farther apart


class VideoClip(Clip):
    """A video; its packets are counted once, and pictures are decoded from the key picture before the first wanted.

    The pictures are those of `toolkit.picture.iterate_frames`, in its numbers. Files that do not say when each of
    their packets is shown (AVI, raw streams) are decoded from their start.

    Args:
        name: of the clip
        path: video file
        sound_file: as in `Clip`

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_video``
    """

    def __init__(self, name: str, path: Path, sound_file: Path | None) -> None:
        self._path = path
        times = _packet_times(path)
        self._is_stamped = times is not None
        if times is None:
            times = np.array([frame.time for frame in iterate_frames(path)])
        super().__init__(name, times, sound_file)

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Returns some pictures, as `Clip.pictures`."""
        wanted, places = np.unique(numbers, return_inverse=True)
        times = self.times[wanted]
        found = self._sought(times) if self._is_stamped and times[0] > 0 else None
        if found is None:
            found = self._from_the_start(times)
        return of_one_size(found)[places]

    def _sought(self, times: np.ndarray) -> list[np.ndarray] | None:
        """Returns the pictures at some times, ``None`` where they are not met after the key picture before them."""
        from av.video.reformatter import VideoReformatter

        found: list[np.ndarray] = []
        reformatter, matrix = VideoReformatter(), None
        with open_media(self._path) as media:
            for number, (time, frame) in enumerate(_frames_after(media, float(times[0]))):
                if number == 0:
                    matrix = display_matrix(frame)
                if time > times[len(found)] + _ALIKE or frame.is_corrupt:
                    return None
                if time > times[len(found)] - _ALIKE:
                    image = reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
                    found.append(image if matrix is None else orient(image, matrix))
                if len(found) == len(times):
                    return found
        return None

    def _from_the_start(self, times: np.ndarray) -> list[np.ndarray]:
        """Returns the pictures shown at some times."""
        found: list[np.ndarray] = []
        shown: np.ndarray | None = None
        for image, time in iterate_frames(self._path):
            while len(found) < len(times) and time > times[len(found)] + _ALIKE and shown is not None:
                found.append(shown)
            if len(found) == len(times):
                return found
            shown = image
        if shown is None:
            raise ClipError(Status.UNREADABLE, f"{self._path}: none of its pictures can be decoded")
        return found + [shown] * (len(times) - len(found))


def _packet_times(path: Path) -> np.ndarray | None:
    """Returns when each picture is shown, seconds from the clip's start, ``None`` where only decoding tells.

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_video``
    """
    with open_media(path) as media:
        if media.video is None:
            raise ClipError(Status.NO_VIDEO, f"{path}: no picture stream")
        media.require_decoder(media.video)
        if media.container.format.name == "avi":
            return None
        stamps = []
        for packet in media.container.demux(media.video):
            if packet.is_corrupt:
                raise ClipError(Status.UNREADABLE, f"{path}: cut short or damaged video packet")
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                return None
            stamps.append(packet.pts)
        if not stamps:
            raise ClipError(Status.NO_VIDEO, f"{path}: its picture stream is empty")
        return np.unique(stamps) * float(media.video.time_base) - media.start


def _frames_after(media: MediaFile, time: float) -> "Iterator[tuple[float, VideoFrame]]":
    """Yields decoded frames with their times, from the key picture before a time."""
    stream = media.video
    stamp = math.floor((time + media.start) / float(stream.time_base))
    media.container.seek(stamp, stream=stream, backward=True)
    for frame in media.container.decode(stream):
        if frame.pts is not None:
            yield float(frame.pts * stream.time_base) - media.start, frame

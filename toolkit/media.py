"""Frames and sound out of a media file, and into one; everything that the rest of the toolkit needs of media."""

from pathlib import Path
from typing import NamedTuple

from toolkit.errors import ClipError
from toolkit.media_file import MediaFile, open_media
from toolkit.media_write import write_sound, write_video
from toolkit.picture import Frame, display_matrix, frame_rate_of, iterate_frames
from toolkit.sound import Sound, is_silent, read_sound, read_sounds, require_audible
from toolkit.status import Status

__all__ = [
    "Frame",
    "MediaInfo",
    "Sound",
    "is_silent",
    "iterate_frames",
    "probe",
    "read_sound",
    "read_sounds",
    "require_audible",
    "write_sound",
    "write_video",
]


class MediaInfo(NamedTuple):
    """What a media file says of itself; ``None`` where it has no such stream.

    Attributes:
        seconds: from the clip's start to the end of its longest stream
        width: of the upright picture, in pixels
        height: of the upright picture, in pixels
        frame_rate: mean frames per second
        sample_rate: samples per second (Hz) of the sound
    """

    seconds: float
    width: int | None
    height: int | None
    frame_rate: float | None
    sample_rate: int | None


def probe(path: Path | str) -> MediaInfo:
    """Returns what a media file says of itself, decoding no more than its first frame.

    Raises:
        ClipError: ``missing`` or ``unreadable``
    """
    with open_media(path) as media:
        if media.video is None and media.audio is None:
            raise ClipError(Status.UNREADABLE, f"{path}: neither picture nor sound")
        for stream in filter(None, (media.video, media.audio)):
            media.require_decoder(stream)
        rate = media.audio.rate if media.audio is not None else None
        if media.video is None:
            return MediaInfo(_seconds(media), None, None, None, rate)
        frame_rate = frame_rate_of(media.video)
        width, height = _upright_size(media)
        return MediaInfo(_seconds(media), width, height, frame_rate, rate)


def _seconds(media: MediaFile) -> float:
    ends = []
    for stream in (media.video, media.audio):
        seconds = media.seconds_of(stream)
        if seconds is not None:
            ends.append(float((stream.start_time or 0) * stream.time_base) - media.start + seconds)
    return max(ends, default=(media.container.duration or 0) / 1e6)


def _upright_size(media: MediaFile) -> tuple[int, int]:
    width, height = media.video.width, media.video.height
    frame, _ = next(media.decode(media.video), (None, None))
    matrix = None if frame is None else display_matrix(frame)
    if matrix is not None and abs(matrix[1]) + abs(matrix[3]) > abs(matrix[0]) + abs(matrix[4]):
        return height, width
    return width, height

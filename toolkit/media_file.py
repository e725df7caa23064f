"""A media file opened with PyAV: which of its streams count, when the clip starts, and what is wrong with it."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ClipError
from toolkit.media_extent import declared_size
from toolkit.status import Status

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.frame import Frame as RawFrame
    from av.video.stream import VideoStream

# FFmpeg demuxers that make pictures out of any text file.
_NOT_MEDIA = {"tty", "subviewer", "srt", "webvtt"}


class MediaFile:
    """An open media file.

    The clip starts where the earlier of its picture and its sound starts, so that both are on one time line
    whatever offsets the container gives them.

    Attributes:
        path: where it lies
        container: PyAV's container
        video: first picture stream that is not an attached picture (cover art), or ``None``
        audio: first sound stream, or ``None``
        start: container time of the clip's start, in seconds
    """

    def __init__(self, path: Path, container: "InputContainer") -> None:
        from av.stream import Disposition

        self.path = path
        self.container = container
        pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        self.video: VideoStream | None = next(iter(pictures), None)
        self.audio: AudioStream | None = next(iter(container.streams.audio), None)
        starts = [
            float(stream.start_time * stream.time_base)
            for stream in (self.video, self.audio)
            if stream is not None and stream.start_time is not None and stream.time_base is not None
        ]
        self.start = min(starts, default=0.0)

    @property
    def has_track_durations(self) -> bool:
        """Whether the streams' durations are facts written by the muxer (MP4, MOV), not estimates."""
        return "mp4" in self.container.format.name.split(",")

    def seconds_of(self, stream: "VideoStream | AudioStream | None") -> float | None:
        """Returns how long a stream lasts by the container's word, ``None`` where it does not say."""
        if stream is None or stream.duration is None or stream.time_base is None:
            return None
        return float(stream.duration * stream.time_base)

    def require_decoder(self, stream: "VideoStream | AudioStream") -> None:
        """Raises where a stream's codec is unknown; such a stream does not even have a size or a rate.

        Raises:
            ClipError: ``unreadable``
        """
        if stream.codec_context is None:
            raise ClipError(Status.UNREADABLE, f"{self.path}: no decoder for its {stream.type}")

    def decode(self, stream: "VideoStream | AudioStream") -> "Iterator[tuple[RawFrame, float | None]]":
        """Yields the decoded frames of one stream, in order of presentation, with their times.

        A time is in seconds from the clip's start, ``None`` where the container has none. AVI stamps packets in the
        order of decoding only; frames leave the decoder sorted, so the n-th frame belongs to the n-th packet's stamp.

        Raises:
            ClipError: ``unreadable``, the data is damaged
        """
        self.require_decoder(stream)
        # A recorder that could not go back to its header leaves the last block of a WAV open, which is no damage.
        strict = self.container.format.name != "wav"
        avi = self.container.format.name == "avi"  # FFmpeg guesses at times there, wrongly for H.264
        stamps: deque[int] = deque()
        for packet in self.container.demux(stream):
            if strict and packet.is_corrupt:
                raise ClipError(Status.UNREADABLE, f"{self.path}: cut short or damaged {stream.type} packet")
            if packet.dts is not None:
                stamps.append(packet.dts)
            for frame in packet.decode():
                in_order = stamps.popleft() if stamps else None
                stamp = in_order if frame.pts is None or avi else frame.pts
                yield frame, None if stamp is None else float(stamp * stream.time_base) - self.start


@contextmanager
def open_media(path: Path | str) -> Iterator[MediaFile]:
    """Opens a media file for reading; every error of FFmpeg inside the block becomes a `ClipError`.

    Args:
        path: video or sound file

    Raises:
        ClipError: ``missing`` or ``unreadable`` (a directory, no media, damaged, cut short, not permitted)
    """
    import av

    path = Path(path)
    try:
        if not path.exists():
            raise ClipError(Status.MISSING, f"{path}: no such file")
        if not path.is_file():
            raise ClipError(Status.UNREADABLE, f"{path}: not a file")
        _require_whole(path)
        # Without the prefix FFmpeg takes what stands before a colon in a file's name for a protocol.
        with av.open(f"file:{path}", metadata_errors="ignore") as container:
            if container.format.name in _NOT_MEDIA:
                raise ClipError(Status.UNREADABLE, f"{path}: not a video or sound file")
            yield MediaFile(path, container)
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ClipError(Status.UNREADABLE, f"{path}: {reason}") from error


def _require_whole(path: Path) -> None:
    """Raises where the file is shorter than its own word, which FFmpeg passes over in silence."""
    size, declared = path.stat().st_size, declared_size(path)
    if declared is not None and size < declared:
        raise ClipError(Status.UNREADABLE, f"{path}: cut short, it has {size} of its {declared} bytes")

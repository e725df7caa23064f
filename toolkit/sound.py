"""Sound out of a media file: mono, float32, at the wanted rate, on the clip's time line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from toolkit.errors import ClipError
from toolkit.media_file import MediaFile, open_media
from toolkit.status import Status

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# Peak of what counts as silence: two steps of a 16-bit recording, its rounding noise.
SILENCE = 2 / 32768
# Stamps of sound packets are often coarse; only a hole longer than this is filled, in seconds.
_HOLE = 0.05
# A hole longer than this is a clock that jumped (MPEG-TS), and silence for it could fill the memory, in seconds.
_LONGEST_HOLE = 600.0


class Sound(NamedTuple):
    """A mono recording.

    Attributes:
        samples: ``(S,)`` float32 in [-1, 1]
        rate: samples per second (Hz)
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def is_silent(sound: Sound) -> bool:
    """Says whether a sound never rises above the rounding noise of a 16-bit recording (or has no samples)."""
    return not len(sound.samples) or float(np.abs(sound.samples).max()) <= SILENCE


def require_audible(sound: Sound, path: Path | str) -> Sound:
    """Returns the sound if there is anything to hear in it.

    Raises:
        ClipError: ``silent``
    """
    if is_silent(sound):
        peak = float(np.abs(sound.samples).max(initial=0.0))
        raise ClipError(Status.SILENT, f"{path}: silent, peak {peak:.1e} of full scale in {sound.seconds:.2f} s")
    return sound


def read_sound(path: Path | str, *, rate: int) -> Sound:
    """Reads the sound of a video or sound file.

    Channels are averaged, then resampled with soxr's high-quality filter, which has no delay. Sample ``i`` is heard
    ``i / rate`` seconds after the clip's start: where the sound starts after the picture, or has a hole, there is
    silence. The encoder's padding after the end is cut off: FFmpeg drops it where the container names it, and for
    MP4, where the decoder leaves it (dependencies.md, section 3), the track's duration is the measure.

    Args:
        path: video or sound file
        rate: wanted samples per second (Hz)

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_audio``
    """
    with open_media(path) as media:
        if media.audio is None:
            raise ClipError(Status.NO_AUDIO, f"{path}: no sound stream")
        samples, source_rate = _decode(media)
    if not np.isfinite(samples).all():
        raise ClipError(Status.UNREADABLE, f"{path}: its sound holds values that are not finite")
    if source_rate != rate:
        import soxr

        samples = soxr.resample(samples, source_rate, rate, quality="HQ")
    return Sound(np.clip(samples, -1, 1, dtype=np.float32), rate)


def read_sounds(path: Path | str, *, rates: Sequence[int]) -> dict[int, Sound]:
    """Reads the sound of a file at several rates, decoding it once; see `read_sound`."""
    return {rate: read_sound(path, rate=rate) for rate in rates}


def _decode(media: MediaFile) -> tuple[np.ndarray, int]:
    """Returns the sound ``(S,)`` on the clip's time line and its rate, as the file has it."""
    chunks: list[np.ndarray] = []
    rate = length = 0
    longest = 1
    for frame, time in media.decode(media.audio):
        if frame.sample_rate != (rate or frame.sample_rate):
            raise ClipError(Status.UNREADABLE, f"{media.path}: its sampling rate changes on the way")
        rate = frame.sample_rate
        mono = _mono(frame)
        hole = 0 if time is None else round(time * rate) - length
        if hole > _LONGEST_HOLE * rate:
            raise ClipError(Status.UNREADABLE, f"{media.path}: its sound's time stamps jump by {hole / rate:.0f} s")
        if hole > (_HOLE * rate if chunks else 0):
            chunks.append(np.zeros(hole, np.float32))
            length += hole
        chunks.append(mono)
        length += len(mono)
        longest = max(longest, len(mono))
    if not rate:
        raise ClipError(Status.NO_AUDIO, f"{media.path}: its sound stream is empty")
    samples = np.concatenate(chunks)
    return samples[: _end(media, rate, length, longest)], rate


def _end(media: MediaFile, rate: int, length: int, longest: int) -> int:
    """Returns how many samples of the decoded sound belong to the track."""
    seconds = media.seconds_of(media.audio) if media.has_track_durations else None
    if seconds is None or media.audio.start_time is None:
        return length
    offset = float(media.audio.start_time * media.audio.time_base) - media.start
    end = round((offset + seconds) * rate)
    # Padding fills up the last packet; a greater excess means a header that lies.
    return end if 0 < length - end <= 2 * longest else length


def _mono(frame: "AudioFrame") -> np.ndarray:
    """Returns the mean ``(S,)`` float32 of a frame's channels, full scale 1."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype == np.uint8:
        values = values.astype(np.float32) / 128 - 1
    elif values.dtype.kind == "i":
        values = values / float(2 ** (8 * values.dtype.itemsize - 1))
    return values.mean(axis=0, dtype=np.float64).astype(np.float32)

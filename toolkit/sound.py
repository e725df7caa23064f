"""Sound out of a media file: mono, float32, at the wanted rate, on the clip's time line."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from toolkit.blocks import blocks
from toolkit.errors import ClipError
from toolkit.media_file import MediaFile, open_media
from toolkit.spool import Spool
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


def peak(sound: Sound) -> float:
    """Returns the largest absolute sample, without a copy of what may be hours long."""
    return max((float(max(block.max(), -block.min())) for block in blocks(sound.samples)), default=0.0)


def is_silent(sound: Sound) -> bool:
    """Says whether a sound never rises above the rounding noise of a 16-bit recording (or has no samples)."""
    return peak(sound) <= SILENCE


def require_audible(sound: Sound, path: Path | str) -> Sound:
    """Returns the sound if there is anything to hear in it.

    Raises:
        ClipError: ``silent``
    """
    if is_silent(sound):
        raise ClipError(Status.SILENT, f"{path}: silent, peak {peak(sound):.1e} of full scale in {sound.seconds:.2f} s")
    return sound


def read_sound(path: Path | str, *, rate: int) -> Sound:
    """Reads the sound of a video or sound file at one rate; see `read_sounds`."""
    return read_sounds(path, rates=[rate])[rate]


def read_sounds(path: Path | str, *, rates: Sequence[int]) -> dict[int, Sound]:
    """Reads the sound of a video or sound file at several rates, decoding it once.

    Channels are averaged, then resampled with soxr's high-quality filter, which has no delay. Sample ``i`` is heard
    ``i / rate`` seconds after the clip's start: where the sound starts after the picture, or has a hole, there is
    silence. The encoder's padding after the end is cut off: FFmpeg drops it where the container names it, and for
    MP4, where the decoder leaves it (dependencies.md, section 3), the track's duration is the measure.

    The file passes through in blocks. Samples of a recording of hours are kept in a temporary file and mapped from
    there, read only (`toolkit.spool`).

    Args:
        path: video or sound file
        rates: wanted samples per second (Hz)

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_audio``
    """
    resamplers: dict[int, _Resampler] = {}
    with open_media(path) as media:
        if media.audio is None:
            raise ClipError(Status.NO_AUDIO, f"{path}: no sound stream")
        for block, source_rate in _second_by_second(_trimmed(media, _on_the_time_line(media))):
            if not np.isfinite(block).all():
                raise ClipError(Status.UNREADABLE, f"{path}: its sound holds values that are not finite")
            for rate in dict.fromkeys(rates):
                resamplers.setdefault(rate, _Resampler(source_rate, rate)).add(block)
    if not resamplers:
        raise ClipError(Status.NO_AUDIO, f"{path}: its sound stream is empty")
    return {rate: Sound(resampler.finish(), rate) for rate, resampler in resamplers.items()}


class _Resampler:
    """Blocks of sound at one rate gathered at another, values clipped to [-1, 1]."""

    def __init__(self, source_rate: int, rate: int) -> None:
        self._spool = Spool()
        self._stream = None
        if source_rate != rate:
            import soxr

            self._stream = soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality="HQ")

    def add(self, block: np.ndarray, *, last: bool = False) -> None:
        samples = block if self._stream is None else self._stream.resample_chunk(block, last=last)
        self._spool.append(np.clip(samples, -1, 1, dtype=np.float32))

    def finish(self) -> np.ndarray:
        if self._stream is not None:
            self.add(np.zeros(0, np.float32), last=True)
        return self._spool.array()


def _on_the_time_line(media: MediaFile) -> Iterator[tuple[np.ndarray, int]]:
    """Yields blocks ``(S,)`` of decoded sound with their rate, silence where the stream has holes."""
    rate = length = 0
    for frame, time in media.decode(media.audio):
        if frame.sample_rate != (rate or frame.sample_rate):
            raise ClipError(Status.UNREADABLE, f"{media.path}: its sampling rate changes on the way")
        starts = not rate
        rate = frame.sample_rate
        mono = _mono(frame)
        hole = 0 if time is None else round(time * rate) - length
        if hole > _LONGEST_HOLE * rate:
            raise ClipError(Status.UNREADABLE, f"{media.path}: its sound's time stamps jump by {hole / rate:.0f} s")
        if hole > (0 if starts else _HOLE * rate):
            yield np.zeros(hole, np.float32), rate
            length += hole
        yield mono, rate
        length += len(mono)


def _trimmed(media: MediaFile, blocks: Iterable[tuple[np.ndarray, int]]) -> Iterator[tuple[np.ndarray, int]]:
    """Yields the blocks without the padding that fills up the track's last packet.

    What lies after the track's end is held back. If it is more than two blocks' worth, the header lies, and it comes
    out after all.
    """
    length = longest = beyond = 0
    end: int | None = None
    held: list[np.ndarray] = []
    rate = 0
    for block, rate in blocks:
        if not longest:
            end = _end(media, rate)
        longest = max(longest, len(block))
        inside = len(block) if end is None else min(len(block), max(0, end - length))
        length += len(block)
        if inside:
            yield block[:inside], rate
        if inside < len(block):
            held.append(block[inside:])
            beyond += len(block) - inside
        if beyond > 2 * longest:
            yield np.concatenate(held), rate
            held, beyond, end = [], 0, None


def _second_by_second(blocks: Iterable[tuple[np.ndarray, int]]) -> Iterator[tuple[np.ndarray, int]]:
    """Yields the same samples in blocks of a second or more, which cost less to handle."""
    gathered: list[np.ndarray] = []
    count = rate = 0
    for block, rate in blocks:
        gathered.append(block)
        count += len(block)
        if count >= rate:
            yield np.concatenate(gathered), rate
            gathered, count = [], 0
    if gathered:
        yield np.concatenate(gathered), rate


def _end(media: MediaFile, rate: int) -> int | None:
    """Returns how many samples belong to the track by its header, ``None`` where that does not say."""
    seconds = media.seconds_of(media.audio) if media.has_track_durations else None
    if seconds is None or media.audio.start_time is None:
        return None
    offset = float(media.audio.start_time * media.audio.time_base) - media.start
    return round((offset + seconds) * rate)


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

"""One clip corrupted: decoded, noise mixed in, blurred, encoded again."""

import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from toolkit.blur import blur, is_blur_factor
from toolkit.errors import ClipError, UserError
from toolkit.media import Frame, Sound, is_silent, iterate_frames, probe, read_sound, write_sound, write_video
from toolkit.mixing import mix_at_snr
from toolkit.noise import NoiseBank
from toolkit.seeds import generator_for
from toolkit.status import Status
from toolkit.whole_file import whole_file

# Rate of the corrupted sound in Hz, that of the organisers' generator (mer_challenges.md, section 2.1).
SAMPLE_RATE = 16_000
MEDIA = "media"
# Part of every clip's recipe; rises whenever the same settings would give other media.
_VERSION = 1
_MOST_SNR = 100  # dB; 16-bit sound has room for no more than that


class ClipSource(NamedTuple):
    """A clean clip.

    Attributes:
        name: unique name
        video: its video file, if the corpus names one
        audio: its sound file, if the corpus names one beside or instead of the video
    """

    name: str
    video: Path | None
    audio: Path | None


@dataclass(frozen=True)
class Corruption:
    """What is done to every clip; a clip's own draw depends on the seed and its name only.

    Attributes:
        snr: lowest and highest signal-to-noise ratio in dB; a whole number in between is drawn, or, where both are
            equal, it is just that
        blurs: blur factors to draw from
        noises: where the noise comes from
        seed: decides every draw

    Raises:
        UserError: a range without a whole number in it or beyond 100 dB, or a factor that is no power of two
    """

    snr: tuple[float, float]
    blurs: tuple[int, ...]
    noises: NoiseBank
    seed: int

    def __post_init__(self) -> None:
        low, high = self.snr
        sensible = -_MOST_SNR <= low <= high <= _MOST_SNR  # false for NaN too
        if not sensible or (low != high and math.ceil(low) > math.floor(high)):
            raise UserError(
                f"The SNR range is {low:g} to {high:g} dB. Expected the lower end first and a whole number in between, "
                f"as in 5 10, or the same number twice, all within {-_MOST_SNR} to {_MOST_SNR}."
            )
        if not self.blurs or not all(is_blur_factor(factor) for factor in self.blurs):
            raise UserError(f"The blur factors are {list(self.blurs)}. Expected some of 1, 2, 4, 8.")

    def draw_snr(self, name: str) -> float:
        """Returns a clip's signal-to-noise ratio in dB."""
        low, high = self.snr
        if low == high:
            return low
        return float(generator_for(self.seed, "snr", name).integers(math.ceil(low), math.floor(high) + 1))

    def draw_blur(self, name: str) -> int:
        """Returns a clip's blur factor."""
        return self.blurs[generator_for(self.seed, "blur", name).integers(len(self.blurs))]

    def recipe(self, source: ClipSource) -> str:
        """Returns a hash of all that decides what becomes of a clip; the clip itself goes in by the size of its files.

        The sizes tell another corpus with clips of the same names, whose files may be older than the copy.
        """
        name = source.name
        sizes = [path.stat().st_size if path and path.is_file() else None for path in (source.video, source.audio)]
        facts = [_VERSION, name, self.seed, self.draw_snr(name), self.draw_blur(name), self.noises.identity, sizes]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def corrupt_clip(source: ClipSource, corruption: Corruption, out: Path) -> dict[str, str]:
    """Writes the corrupted media of one clip below ``out / "media"``.

    The video becomes an MP4 with the same frames at the same times, the sound file a WAV; both carry the same noise.
    What cannot be corrupted is kept: a silent sound stays silent, a file that cannot be read is copied as it is, and
    the row says so.

    Args:
        source: the clean clip
        corruption: what to do
        out: folder of the corrupted corpus

    Returns:
        row of the manifest: name, video, audio, snr, blur, noise, seed, status, reason, recipe; empty where it does
        not apply

    Raises:
        UserError: a noise recording cannot be used
    """
    row = dict.fromkeys(("video", "audio", "snr", "blur", "noise"), "")
    troubles: list[ClipError] = []
    sound = _corrupt_sound(source, corruption, row, troubles)
    if source.audio is not None:
        row["audio"] = _write_audio(source, sound, out)
    if source.video is not None:
        row["video"] = _write_video(source, corruption, sound, out, row, troubles)
    worst = troubles[0] if troubles else None
    return row | {
        "name": source.name,
        "seed": str(corruption.seed),
        "status": str(worst.status) if worst else str(Status.OK),
        "reason": _without_folders(worst.reason, source) if worst else "",
        "recipe": corruption.recipe(source),
    }


def _without_folders(reason: str, source: ClipSource) -> str:
    """Returns a reason that names files only, so that it is the same wherever the corpus lies."""
    for path in (source.video, source.audio):
        reason = reason if path is None else reason.replace(str(path), path.name)
    return reason


def _corrupt_sound(
    source: ClipSource, corruption: Corruption, row: dict[str, str], troubles: list[ClipError]
) -> Sound | None:
    path = source.audio or source.video
    try:
        if path is None:
            raise ClipError(Status.MISSING, f"{source.name}: the corpus names no file")
        clean = read_sound(path, rate=SAMPLE_RATE)
    except ClipError as error:
        troubles.append(error)
        return None
    if is_silent(clean):
        troubles.append(ClipError(Status.SILENT, f"{path}: silent, which has no SNR; the sound is left as it is"))
        return clean
    generator = generator_for(corruption.seed, "noise", source.name)
    noise = corruption.noises.draw(len(clean.samples), SAMPLE_RATE, generator)
    snr = corruption.draw_snr(source.name)
    row["snr"], row["noise"] = f"{snr:g}", noise.label
    return Sound(mix_at_snr(clean.samples, noise.samples, snr), SAMPLE_RATE)


def _write_audio(source: ClipSource, sound: Sound | None, out: Path) -> str:
    if sound is None:
        return _carry_over(source.audio, source.name, out)
    made = f"{MEDIA}/{source.name}.wav"
    write_sound(out / made, sound)
    return made


def _write_video(
    source: ClipSource,
    corruption: Corruption,
    sound: Sound | None,
    out: Path,
    row: dict[str, str],
    troubles: list[ClipError],
) -> str:
    own_sound_failed = source.audio is None and any(error.status is Status.UNREADABLE for error in troubles)
    if own_sound_failed:  # whatever reads the copy should meet the same trouble
        return _carry_over(source.video, source.name, out)
    factor = corruption.draw_blur(source.name)
    made = f"{MEDIA}/{source.name}.mp4"
    try:
        rate = probe(source.video).frame_rate or 25.0
        write_video(out / made, _blurred(source.video, factor), frame_rate=rate, sound=sound)
    except ClipError as error:
        troubles.append(error)
        if error.status is Status.NO_VIDEO and sound is not None:
            made = f"{MEDIA}/{source.name}.wav"
            write_sound(out / made, sound)
            return made
        return _carry_over(source.video, source.name, out)
    row["blur"] = str(factor)
    return made


def _blurred(path: Path, factor: int) -> Iterator[Frame]:
    shape = None
    for frame in iterate_frames(path):
        shape = shape or frame.image.shape
        if frame.image.shape != shape:
            raise ClipError(Status.UNREADABLE, f"{path}: its picture size changes at {frame.time:.2f} s")
        yield Frame(blur(frame.image, factor), frame.time)


def _carry_over(path: Path, name: str, out: Path) -> str:
    """Copies a file byte for byte; one that is not there stays away, under the name it would have."""
    made = f"{MEDIA}/{name}{path.suffix.lower()}"
    if path.is_file():
        with whole_file(out / made) as target:
            shutil.copyfile(path, target)
    return made

"""Pitch, energy, timbre and tempo of a voice, in plain numpy."""

from collections.abc import Sequence

import numpy as np

from feature_extraction.acoustics.frames import HOP, cut_blocks, cut_frames, frame_count, frame_times
from feature_extraction.acoustics.functionals import (
    PITCH_FUNCTIONALS,
    TEMPO_FUNCTIONALS,
    find_active,
    half_differences,
    pitch_functionals,
    tempo_functionals,
)
from feature_extraction.acoustics.pitch import track_pitch
from feature_extraction.acoustics.shape import SHAPE, spectral_contrast, spectral_shape, zero_crossings
from feature_extraction.acoustics.spectrum import WINDOW, cepstra, deltas, power_spectrum
from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, register
from toolkit.errors import ClipError
from toolkit.media import Sound
from toolkit.status import Status

SHORTEST = 0.1  # seconds
CEPSTRA = 20
DESCRIPTORS = (
    *(f"mfcc{k}" for k in range(CEPSTRA)),
    *(f"mfcc{k}_delta" for k in range(CEPSTRA)),
    "pitch",  # semitones above 27.5 Hz, 0 where there is no voice
    "voiced",  # 1 or 0
    "periodicity",  # height of the autocorrelation's peak, 0 to 1
    "energy",  # dB of full scale
    "energy_delta",  # dB per frame
    "zero_crossings",
    *SHAPE,
    *(f"contrast{k}" for k in range(6)),
)


def descriptors(sound: Sound) -> np.ndarray:
    """Returns the numbers named in ``DESCRIPTORS`` every 10 ms, ``(T, 60)`` float64."""
    samples, rate = sound.samples, sound.rate
    blocks = [[part[own] for part in _of_frames(stretch, rate)] for stretch, own in cut_blocks(samples, rate)]
    coefficients, energy, others = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    pitch = track_pitch(samples, rate)
    voiced = pitch.frequency > 0
    semitones = np.where(voiced, 12 * np.log2(np.maximum(pitch.frequency, 1) / 27.5), 0.0)
    columns = [coefficients, deltas(coefficients), semitones[:, None], voiced[:, None], pitch.strength[:, None]]
    return np.concatenate([*columns, energy, deltas(energy), others], axis=1)


def _of_frames(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns cepstra ``(T, 20)``, energy ``(T, 1)`` and the numbers from zero crossings on ``(T, 15)``."""
    power = power_spectrum(samples, rate)
    frames = cut_frames(samples, rate, WINDOW)
    energy = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-10)
    shape = (zero_crossings(frames)[:, None], spectral_shape(power, rate), spectral_contrast(power, rate))
    return cepstra(power, rate, CEPSTRA), energy[:, None], np.concatenate(shape, axis=1)


STATIC = tuple(n for n in DESCRIPTORS if not n.endswith("_delta") and n not in ("pitch", "voiced"))
DELTAS = tuple(n for n in DESCRIPTORS if n.endswith("_delta"))
TREND = ("energy", "centroid", "tilt", "mfcc0", "mfcc1", "mfcc2", "mfcc3", "mfcc4")
FUNCTIONALS = (
    *(f"{name}_mean" for name in STATIC),
    *(f"{name}_std" for name in STATIC),
    *(f"{name}_std" for name in DELTAS),
    *PITCH_FUNCTIONALS,
    *TEMPO_FUNCTIONALS,
    *(f"{name}_trend" for name in TREND),  # second half less first
)


def functionals(values: np.ndarray) -> np.ndarray:
    """Returns the numbers named in ``FUNCTIONALS``, ``(132,)`` float64.

    Few on purpose, because training sets are small: on EmoDB, leave-one-speaker-out, networks with percentiles of every
    descriptor beside them were less accurate, and with modulation spectra no more accurate.

    Args:
        values: the descriptors ``(T, 60)``
    """

    def contours(names: tuple[str, ...]) -> np.ndarray:
        return values[:, [DESCRIPTORS.index(name) for name in names]]

    energy, semitones, voiced = contours(("energy", "pitch", "voiced")).T
    voiced = voiced > 0
    active = find_active(energy)
    static, slopes = contours(STATIC)[active], contours(DELTAS)[active]
    voice = (pitch_functionals(semitones, voiced), tempo_functionals(energy, voiced))
    trend = half_differences(contours(TREND), energy)
    return np.concatenate([static.mean(axis=0), static.std(axis=0), slopes.std(axis=0), *voice, trend])


@register
class Prosody(Encoder):
    """Descriptors of the voice every 10 ms and their functionals, without any dependency but numpy.

    (librosa has most of these descriptors and is what tests compare with; its first call compiles for seconds.)
    """

    family = "prosody"
    specs = (
        EncoderSpec(name="prosody", modality="audio", family="prosody", pooling="own", sample_rate=16000, dim=132),
    )

    def encode(self, batch: Sequence[Sound]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, 60)``, named in ``DESCRIPTORS``, and ``utterance (132,)``, named in ``FUNCTIONALS``."""
        return [self._encode(sound) for sound in batch]

    def _encode(self, sound: Sound) -> FrameFeatures | ClipError:
        count = frame_count(len(sound.samples), sound.rate)
        if count * HOP < SHORTEST:
            length = f"{1000 * sound.seconds:.1f} ms of sound, prosody needs {1000 * SHORTEST:g} ms"
            return ClipError(Status.TOO_SHORT, length)
        values = descriptors(sound)
        return FrameFeatures(values.astype(np.float32), frame_times(count), functionals(values).astype(np.float32))

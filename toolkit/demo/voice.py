"""A source-filter synthesiser: a pulse train with jitter and breath, formant resonators, noise for consonants.

Source: the pulse of Klatt and Klatt (1990), its derivative as a polynomial of the open phase. Filter: a cascade of
second-order resonators (Klatt, 1980) whose coefficients change every few milliseconds.
"""

from typing import NamedTuple

import numpy as np

from toolkit.demo.delivery import Delivery
from toolkit.demo.smoothing import moving_sum
from toolkit.demo.speakers import Voice
from toolkit.demo.syllables import FORMANTS, NOISES, OPENING, ROUNDING, Syllable

RATE = 16000  # Hz
STEP = 80  # samples between two settings of the synthesiser, 5 ms
LEAD, TAIL = 0.12, 0.2  # seconds of silence before and after the sentence
_LEVEL = 10 ** (-25 / 20)  # root mean square of a voice at rest, of full scale
_FLOOR = 10 ** (-62 / 20)  # of the room's noise
_BANDWIDTHS = (70.0, 90.0, 130.0, 220.0, 300.0)  # Hz, of F1 to F5


class Speech(NamedTuple):
    """A spoken sentence, and what the mouth did.

    Attributes:
        samples: ``(S,)`` float32 in [-1, 1] at `RATE`
        opening: ``(S / STEP,)`` 0 shut to 1 wide open
        rounding: ``(S / STEP,)`` 0 spread to 1 pursed
    """

    samples: np.ndarray
    opening: np.ndarray
    rounding: np.ndarray


class _Score(NamedTuple):
    """Settings of the synthesiser, one per step; ``(K,)`` each, formants ``(K, 5)`` in Hz, noises ``(types, K)``."""

    semitones: np.ndarray
    voicing: np.ndarray
    formants: np.ndarray
    noises: np.ndarray
    opening: np.ndarray
    rounding: np.ndarray


def speak(sounds: list[Syllable], voice: Voice, way: Delivery, generator: np.random.Generator) -> Speech:
    """Says a sentence.

    Args:
        sounds: its syllables and pauses
        voice: whose voice
        way: how it is said
        generator: draws jitter, noise and small variations of length and loudness
    """
    score = _write_score(sounds, voice, way, generator)
    samples = _voice(score, voice, way, generator) + _consonants(score, way, generator)
    samples += _FLOOR * generator.normal(0, 1, len(samples))
    return Speech(np.tanh(samples).astype(np.float32), score.opening, score.rounding)


def _write_score(sounds: list[Syllable], voice: Voice, way: Delivery, generator: np.random.Generator) -> _Score:
    rate = voice.tempo * 2**way.tempo
    steps = [max(6, round(generator.normal(1, 0.1) * RATE / STEP / rate)) for _ in sounds]
    steps = [round(s.pause * RATE / STEP) if s.pause else n for s, n in zip(sounds, steps, strict=True)]
    before, after = round(LEAD * RATE / STEP), round(TAIL * RATE / STEP)
    total = before + sum(steps) + after
    tones, voicing, opening, rounding = (np.zeros(total) for _ in range(4))
    formants = np.tile(np.array(FORMANTS["er"]), (total, 1))
    noises = np.zeros((len(NOISES), total))
    at = before
    for sound, count in zip(sounds, steps, strict=True):
        part = slice(at, at + count)
        at += count
        if sound.pause:
            continue
        tones[part] = np.linspace(*sound.tone, count)
        t = np.linspace(0, 1, count)[:, None]
        vowel = np.array(FORMANTS[sound.start]) * (1 - t) + np.array(FORMANTS[sound.end]) * t
        quiet = _onset(sound, count, noises[:, part], generator)
        formants[part] = vowel
        if sound.consonant == "m":
            formants[part][:quiet] = FORMANTS["m"]
        level = generator.uniform(0.75, 1.1) * (1 - 0.25 * (at - before) / total)
        voicing[part] = level * np.minimum(1, np.arange(count, 0, -1) / 5)
        voicing[part][:quiet] *= 0.4 if sound.consonant == "m" else 0.0
        opening[part] = level * ((1 - t) * OPENING[sound.start] + t * OPENING[sound.end]).ravel()
        opening[part][:quiet] *= 0.25
        rounding[part] = ((1 - t) * ROUNDING[sound.start] + t * ROUNDING[sound.end]).ravel()
    semitones = _melody(tones, before, total - after, way, generator)
    smooth = [_smooth(track, width) for track, width in ((voicing, 5), (opening, 9), (rounding, 9))]
    formants = np.stack([_smooth(formants[:, k], 7) for k in range(5)], 1) * voice.tract
    return _Score(semitones, smooth[0], formants, noises, smooth[1], smooth[2])


def _onset(sound: Syllable, count: int, noises: np.ndarray, generator: np.random.Generator) -> int:
    """Writes a consonant's noise ``(types, count)`` in place and returns how many steps the vowel waits for it."""
    if sound.consonant not in NOISES:
        return min(9, count // 3) if sound.consonant else 0
    _, _, seconds, loudness = NOISES[sound.consonant]
    long = max(2, min(round(seconds * RATE / STEP), count // 2))
    closed = min(6, count // 4) if loudness < 0 else 0
    row = list(NOISES).index(sound.consonant)
    shape = np.exp(-np.arange(long) / (long / 2)) if loudness < 0 else np.sin(np.pi * (np.arange(long) + 0.5) / long)
    noises[row, closed : closed + long] = abs(loudness) * generator.uniform(0.7, 1.2) * shape
    return closed + long


def _melody(tones: np.ndarray, start: int, stop: int, way: Delivery, generator: np.random.Generator) -> np.ndarray:
    """Returns the pitch ``(K,)`` in semitones from the speaker's median: tones on a falling line, and the emotion's."""
    place = np.clip((np.arange(len(tones)) - start) / max(stop - start, 1), 0, 1)
    line = 1.6 * (0.5 - place) + 1.2 * np.sin(2 * np.pi * (place * generator.uniform(0.6, 1.4) + generator.uniform()))
    melody = (_smooth(tones, 9) + line) * 2**way.range + way.pitch
    melody += way.rise * np.clip((place - 0.65) / 0.35, 0, 1) ** 1.5
    seconds = np.arange(len(tones)) * STEP / RATE
    rate = generator.uniform(5.5, 7)
    return melody + way.tremor * np.sin(2 * np.pi * (rate * seconds + generator.uniform()))


def _voice(score: _Score, voice: Voice, way: Delivery, generator: np.random.Generator) -> np.ndarray:
    """Returns the voiced part ``(S,)``."""
    from scipy.signal import lfilter

    pitch = _spread(voice.pitch * 2 ** (score.semitones / 12))
    nominal = np.cumsum(pitch) / RATE
    jitter = generator.normal(0, voice.jitter + way.roughness, int(nominal[-1]) + 2)
    shimmer = 1 + 3 * generator.normal(0, voice.jitter + way.roughness, int(nominal[-1]) + 2)
    phase = np.cumsum(pitch * (1 + jitter[nominal.astype(int)])) / RATE % 1.0
    share = float(np.clip(0.6 - 0.12 * way.tilt, 0.4, 0.8))  # of a period in which the glottis is open
    u = phase / share
    pulse = np.where(u < 1, 2 * u - 3 * u**2, 0.0) * np.clip(shimmer[nominal.astype(int)], 0.3, 1.7)
    breath = float(np.clip(voice.breath + way.breath, 0, 0.8))
    source = pulse + 0.22 * breath * generator.normal(0, 1, len(pulse)) * np.where(u < 1, 1.0, 0.35)
    edge = np.exp(-2 * np.pi * min(1100 * 3**way.tilt, 7000) / RATE)
    source = lfilter([1 - edge], [1, -edge], source)
    sound = _resonate(source * _spread(score.voicing), score.formants)
    loud = sound[_spread(score.voicing) > 0.3]
    power = np.sqrt(np.mean(loud**2)) if len(loud) else 1.0
    return sound * (_LEVEL * 10 ** (way.energy / 20) / max(float(power), 1e-9))


def _resonate(source: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """Sends a source ``(S,)`` through resonators at ``(K, 5)`` Hz, carrying their state from step to step."""
    from scipy.signal import sosfilt

    radius = np.exp(-np.pi * np.array(_BANDWIDTHS) / RATE)
    middle = -2 * radius * np.cos(2 * np.pi * np.minimum(formants, RATE * 0.47) / RATE)
    square = np.broadcast_to(radius**2, middle.shape)
    zero, one = np.zeros_like(middle), np.ones_like(middle)
    sections = np.stack([1 + middle + square, zero, zero, one, middle, square], -1)
    state = np.zeros((5, 2))
    result = np.empty_like(source)
    for k, section in enumerate(sections[::2]):  # every 10 ms is often enough, and twice as fast
        part = slice(2 * k * STEP, 2 * (k + 1) * STEP)
        result[part], state = sosfilt(section, source[part], zi=state)
    return result


def _consonants(score: _Score, way: Delivery, generator: np.random.Generator) -> np.ndarray:
    """Returns the noise of the consonants ``(S,)``."""
    from scipy.signal import butter, sosfilt

    total = np.zeros(score.noises.shape[1] * STEP)
    for (low, high, _, _), envelope in zip(NOISES.values(), score.noises, strict=True):
        if envelope.any():
            band = butter(2, (low, high), "bandpass", fs=RATE, output="sos")
            total += sosfilt(band, generator.normal(0, 1, len(total))) * _spread(envelope)
    return total * 10 ** (0.8 * way.energy / 20)


def _smooth(track: np.ndarray, width: int) -> np.ndarray:
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(track, width // 2, mode="edge")
    return moving_sum(padded, window / window.sum())


def _spread(track: np.ndarray) -> np.ndarray:
    """Returns a track of one value per step as one value per sample, with straight lines between."""
    count = len(track)
    return np.interp(np.arange(count * STEP), (np.arange(count) + 0.5) * STEP, track)

"""Babble: several made-up voices talking at once, with the spectrum and the rhythm of speech and no words.

It stands in for a corpus of noise where the user has none. Each voice is a source-filter synthesiser: pulses at the
voice's pitch, or hiss, through the formants of a vowel, one syllable after the other.
"""

import numpy as np

# Mean formants of ten American English vowels, men, in Hz: Peterson and Barney 1952 (JASA 24, 175), table II.
_VOWELS = (
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
    (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip
_FOURTH_FORMANT = 3500
_BANDWIDTHS = (60, 90, 120, 200)
VOICES = 6


def make_babble(length: int, rate: int, generator: np.random.Generator, *, voices: int = VOICES) -> np.ndarray:
    """Makes babble.

    Args:
        length: samples
        rate: samples per second (Hz)
        generator: decides everything that is random
        voices: how many talk

    Returns:
        ``(length,)`` float32, root mean square about 0.1
    """
    whole = max(length, 2 * rate)  # so that a very short piece is not the pause of every voice
    total = np.zeros(whole)
    for _ in range(voices):
        voice = _voice(whole, rate, generator)
        total += voice * 10 ** (generator.uniform(-3, 3) / 20)
    total *= 0.1 / np.sqrt(np.mean(total**2))
    start = int(generator.integers(0, whole - length + 1))
    return total[start : start + length].astype(np.float32)


def _voice(length: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Returns one voice ``(length,)`` of root mean square 1."""
    pitch = generator.uniform(85, 255)
    tract = 1 + 0.2 * (pitch - 85) / 170  # a higher voice goes with a shorter vocal tract, so higher formants
    samples = np.zeros(length)
    position = -int(generator.uniform(0, 0.3) * rate)
    while position < length:
        syllable = _syllable(round(generator.uniform(0.11, 0.26) * rate), rate, pitch, tract, generator)
        first, last = max(position, 0), min(position + len(syllable), length)
        if last > first:
            samples[first:last] += syllable[first - position : last - position]
        pause = generator.uniform(0.1, 0.4) * rate if generator.random() < 0.12 else 0
        position += int(0.9 * len(syllable) + pause)
    return samples / np.sqrt(np.mean(samples**2))


def _syllable(length: int, rate: int, pitch: float, tract: float, generator: np.random.Generator) -> np.ndarray:
    """Returns a hissed consonant (at times) and a vowel, ``(length,)``."""
    from scipy.signal import sosfilt

    begin, end = pitch * generator.uniform(0.85, 1.2, 2)
    phase = np.cumsum(np.linspace(begin, end, length)) / rate
    pulses = np.diff(np.floor(phase), prepend=0.0)
    formants = [*_VOWELS[generator.integers(len(_VOWELS))], _FOURTH_FORMANT]
    # Glottis (two poles) and lips (a zero at 0 Hz): falls by 6 dB per octave above about 130 Hz.
    tilt = np.array([[1.0, -1, 0, 1, -1.9, 0.9025]])
    vowel = sosfilt(np.concatenate([tilt, _resonators(np.array(formants) * tract, rate)]), pulses)
    vowel *= np.hanning(length) / (np.abs(vowel).max() + 1e-9)
    if generator.random() < 0.5:
        hiss = min(round(0.06 * rate), length)
        vowel[:hiss] += 0.06 * np.diff(generator.normal(size=hiss), prepend=0.0) * np.hanning(hiss)
    return vowel * generator.uniform(0.5, 1.0)


def _resonators(frequencies: np.ndarray, rate: int) -> np.ndarray:
    """Returns second-order sections ``(F, 6)`` of unit gain at 0 Hz, those beyond the band left out."""
    rows = []
    for frequency, bandwidth in zip(frequencies, _BANDWIDTHS, strict=True):
        if frequency < 0.45 * rate:
            radius = np.exp(-np.pi * bandwidth / rate)
            first, second = -2 * radius * np.cos(2 * np.pi * frequency / rate), radius**2
            rows.append([1 + first + second, 0, 0, 1, first, second])
    return np.array(rows).reshape(-1, 6)

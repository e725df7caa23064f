"""The synthesiser: what each setting does to the sound."""

import numpy as np
import pytest

from toolkit.demo.delivery import PROTOTYPES, Delivery, deliver
from toolkit.demo.speakers import Voice
from toolkit.demo.syllables import Syllable, syllables
from toolkit.demo.voice import RATE, STEP, speak
from toolkit.labels import MER_EMOTIONS

CALM = Voice(pitch=120.0, tract=1.0, tempo=4.0, breath=0.02, jitter=0.0)
SENTENCE = syllables("这件事让我真的很开心")


def say(way: Delivery, sounds: list[Syllable] = SENTENCE, voice: Voice = CALM) -> np.ndarray:
    return speak(sounds, voice, way, np.random.default_rng(0)).samples


def pitch_of(samples: np.ndarray) -> float:
    """Returns the median pitch in Hz of the loud frames, by the first high peak of their autocorrelation."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 800)[::400]
    frames = frames[frames.std(1) > 0.5 * samples.std()]
    lags = np.arange(RATE // 350, RATE // 60)
    likeness = np.array([[f[lag:] @ f[:-lag] / (800 - lag) for lag in lags] for f in frames])
    high = likeness > 0.85 * likeness.max(1, keepdims=True)
    first = high.argmax(1)
    best = [lags[at + row[at : at + 12].argmax()] for at, row in zip(first, likeness, strict=True)]
    return RATE / float(np.median(best))


def level(samples: np.ndarray) -> float:
    """Returns the level in dB."""
    return 10 * np.log10(np.mean(samples**2))


def brightness(samples: np.ndarray) -> float:
    """Returns the energy of 1 to 4 kHz over that below 1 kHz in dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return 10 * np.log10(power[(hertz > 1000) & (hertz < 4000)].sum() / power[hertz < 1000].sum())


def test_pitch_is_the_speakers_and_an_octave_doubles_it():
    steady = [Syllable("", "a", "a", (0.0, 0.0))] * 6
    low, high = pitch_of(say(Delivery(range=-4), steady)), pitch_of(say(Delivery(range=-4, pitch=12), steady))
    assert low == pytest.approx(120, rel=0.04)
    assert high == pytest.approx(240, rel=0.04)


def test_formants_of_a_vowel():
    samples = say(Delivery(range=-4), [Syllable("", "a", "a", (0.0, 0.0))] * 6)
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    smooth = np.convolve(power, np.hanning(600), "same")  # about 250 Hz
    valley = smooth[(hertz > 1500) & (hertz < 2000)].mean()
    assert smooth[(hertz > 650) & (hertz < 850)].mean() > 20 * valley


def test_energy_in_decibels():
    louder = level(say(Delivery(energy=6))) - level(say(Delivery()))
    assert louder == pytest.approx(6, abs=0.7)


def test_tempo_as_a_power_of_two():
    pause = 0.12 + 0.2
    slow, fast = (len(say(Delivery(tempo=tempo))) / RATE - pause for tempo in (-0.5, 0.5))
    assert slow / fast == pytest.approx(2, rel=0.05)


def test_tilt_makes_brighter():
    vowels = [Syllable("", "a", "e", (0.0, 0.0))] * 4
    dark, plain, bright = (brightness(say(Delivery(tilt=tilt), vowels)) for tilt in (-1, 0, 1))
    assert bright > plain + 1.5
    assert plain > dark + 1.5


def test_mouth_is_shut_in_pauses_and_open_in_vowels():
    speech = speak(SENTENCE, CALM, Delivery(), np.random.default_rng(0))
    assert len(speech.samples) == STEP * len(speech.opening) == STEP * len(speech.rounding)
    assert speech.opening[:15].max() < 0.05
    assert speech.opening.max() > 0.5
    assert np.abs(speech.samples).max() < 1


def test_nothing_to_say():
    speech = speak([], CALM, Delivery(), np.random.default_rng(0))
    assert len(speech.samples) == round(0.32 * RATE)
    assert np.isfinite(speech.samples).all()


def test_every_emotion_has_a_delivery():
    assert set(PROTOTYPES) == set(MER_EMOTIONS)
    assert deliver("angry", 1.0, np.random.default_rng(0), noise=0.0) == PROTOTYPES["angry"]
    assert deliver("angry", 0.0, np.random.default_rng(0), noise=0.0) == Delivery()

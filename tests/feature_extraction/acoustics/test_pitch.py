"""The pitch tracker on sounds whose pitch is known."""

import numpy as np
import pytest

from feature_extraction.acoustics.pitch import track_pitch

TIME = np.arange(16000) / 16000


def buzz(frequency: float, partials: int) -> np.ndarray:
    """Partials that fall off as those of a voice, by 1 / k."""
    return sum(0.2 / k * np.sin(2 * np.pi * k * frequency * TIME) for k in range(1, partials + 1))


@pytest.mark.parametrize("frequency", [70, 110, 220, 440, 580])
def test_tone(frequency):
    pitch = track_pitch(0.3 * np.sin(2 * np.pi * frequency * TIME), 16000)
    assert pitch.frequency.shape == pitch.strength.shape == (100,)
    np.testing.assert_allclose(pitch.frequency, frequency, rtol=0.01)
    np.testing.assert_allclose(pitch.frequency[5:-5], frequency, rtol=0.001)
    assert (pitch.strength[5:-5] > 0.99).all()


@pytest.mark.parametrize("frequency", [90, 200, 410])
def test_voice_without_its_fundamental(frequency):
    sound = buzz(frequency, 10) - 0.2 * np.sin(2 * np.pi * frequency * TIME)
    np.testing.assert_allclose(track_pitch(sound, 16000).frequency[5:-5], frequency, rtol=0.002)


def test_voice_in_noise():
    noise = np.random.default_rng(0).normal(0, 0.05, 16000)  # about 10 dB below the voice
    np.testing.assert_allclose(track_pitch(buzz(150, 10) + noise, 16000).frequency[5:-5], 150, rtol=0.02)


def test_glide():
    # From 100 to 200 Hz in a second; the phase is the integral of the frequency.
    sound = np.sin(2 * np.pi * (100 * TIME + 50 * TIME**2))
    times = (np.arange(100) + 0.5) / 100
    np.testing.assert_allclose(track_pitch(sound, 16000).frequency[5:-5], (100 + 100 * times)[5:-5], rtol=0.01)


def test_noise_has_no_pitch():
    pitch = track_pitch(np.random.default_rng(0).normal(0, 0.1, 16000), 16000)
    assert (pitch.frequency == 0).all()
    assert pitch.strength.mean() < 0.3


def test_voiced_then_noise():
    sound = buzz(150, 10)
    sound[8000:] = np.random.default_rng(0).normal(0, 0.1, 8000)
    voiced = track_pitch(sound, 16000).frequency > 0
    assert voiced[:48].all()
    assert not voiced[53:].any()


def test_silent():
    pitch = track_pitch(np.zeros(1600, np.float32), 16000)
    assert pitch.frequency.tolist() == [0] * 10
    assert pitch.strength.tolist() == [0] * 10


def test_no_samples():
    assert track_pitch(np.zeros(0, np.float32), 16000).frequency.shape == (0,)

"""Functionals of contours computed by hand."""

import numpy as np
import pytest

from feature_extraction.acoustics.functionals import (
    PITCH_FUNCTIONALS,
    TEMPO_FUNCTIONALS,
    find_active,
    half_differences,
    pitch_functionals,
    tempo_functionals,
)


def pitch_of(semitones: np.ndarray, voiced: np.ndarray) -> dict[str, float]:
    return dict(zip(PITCH_FUNCTIONALS, pitch_functionals(semitones, voiced), strict=True))


def tempo_of(energy: np.ndarray, voiced: np.ndarray) -> dict[str, float]:
    return dict(zip(TEMPO_FUNCTIONALS, tempo_functionals(energy, voiced), strict=True))


def test_active_is_within_thirty_decibels():
    assert find_active(np.array([-80.0, -39.0, -10.0, -41.0])).tolist() == [False, True, True, False]


def test_rising_pitch():
    # 101 voiced frames from 20 to 30 semitones in a second
    values = pitch_of(np.linspace(20, 30, 101), np.ones(101, bool))
    assert values["pitch_p50"] == pytest.approx(25)
    assert values["pitch_p10"] == pytest.approx(21)
    assert values["pitch_range_5_95"] == pytest.approx(9)
    assert values["pitch_rise_above_median"] == pytest.approx(4.5)
    assert values["pitch_slope"] == pytest.approx(10)
    assert values["pitch_step_size"] == pytest.approx(0.1)
    assert values["pitch_step_std"] == pytest.approx(0, abs=1e-9)
    assert values["pitch_rising"] == 1
    assert values["pitch_falling_step"] == 0


def test_octave_mistakes_and_pauses_are_no_steps():
    semitones = np.array([20.0, 21.0, 33.0, 34.0, 0.0, 0.0, 22.0, 21.5])
    values = pitch_of(semitones, semitones > 0)
    # Steps that count: +1, +1, -0.5; neither +12 nor those to and from the pause.
    assert values["pitch_step_size"] == pytest.approx(2.5 / 3)
    assert values["pitch_rising"] == pytest.approx(2 / 3)
    assert values["pitch_falling_step"] == -0.5


def test_whisper_without_pitch():
    assert pitch_functionals(np.zeros(50), np.zeros(50, bool)).tolist() == [0.0] * 19


def test_one_voiced_frame():
    values = pitch_of(np.array([0.0, 24.0, 0.0]), np.array([False, True, False]))
    assert values["pitch_mean"] == 24
    assert values["pitch_slope"] == values["pitch_step_size"] == values["pitch_std"] == 0


def test_syllables_per_second():
    # Two seconds with a bump of energy every 250 ms: four per second.
    times = np.arange(200) / 100
    energy = -20 + 10 * np.cos(2 * np.pi * 4 * (times - 0.125))
    voiced = energy > -20
    values = tempo_of(energy, voiced)
    assert values["energy_peaks"] == pytest.approx(4)
    assert values["voiced_stretches"] == pytest.approx(4)
    assert values["voiced_length_mean"] == pytest.approx(0.125, abs=0.01)
    assert values["voiced_part"] == pytest.approx(0.5, abs=0.03)
    assert values["active_part"] == 1
    assert values["log_seconds"] == pytest.approx(np.log(2))
    # 20 dB in half a period of 12.5 frames, a little less after smoothing
    assert values["energy_rise"] == pytest.approx(1.5, abs=0.12)
    assert values["energy_fall"] == pytest.approx(-1.5, abs=0.12)


def test_silence_around_speech_does_not_count():
    speech = np.full(100, -20.0)
    padded = np.concatenate([np.full(70, -90.0), speech, np.full(30, -90.0)])
    values = tempo_of(padded, padded > -50)
    assert values["log_seconds"] == pytest.approx(0)
    assert values["voiced_part"] == 1
    assert values["voiced_stretches"] == 1


def test_half_differences():
    energy = np.array([-90.0, -20, -20, -20, -20, -90])
    values = np.array([[99.0], [1], [3], [6], [8], [99]])
    assert half_differences(values, energy).tolist() == [5.0]
    assert half_differences(values[:1], energy[1:2]).tolist() == [0.0]


def test_silent():
    energy, voiced = np.full(10, -100.0), np.zeros(10, bool)
    assert np.isfinite(tempo_functionals(energy, voiced)).all()
    assert np.isfinite(tempo_functionals(energy[:1], voiced[:1])).all()

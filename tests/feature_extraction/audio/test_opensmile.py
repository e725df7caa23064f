"""The openSMILE encoder: shapes, times, missing package, short clips."""

import importlib.util
import os
import signal
import threading

import numpy as np
import pytest

from feature_extraction.encoder import build_encoder, get_spec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

TIME = np.arange(16000) / 16000
needs_opensmile = pytest.mark.skipif(importlib.util.find_spec("opensmile") is None, reason="needs opensmile")


def buzz(frequency: float) -> Sound:
    voice = sum(0.2 / k * np.sin(2 * np.pi * k * frequency * TIME) for k in range(1, 20))
    return Sound(voice.astype(np.float32), 16000)


@needs_opensmile
def test_descriptors_and_functionals():
    encoder = build_encoder(get_spec("egemaps", "audio"), level="frame")
    (result,) = encoder.encode([buzz(220)])
    # The last of the 60 ms windows, 10 ms apart, starts 50 ms before the end.
    assert result.values.shape == (96, 25)
    assert result.utterance.shape == (88,)
    assert result.values.dtype == result.utterance.dtype == np.float32
    # The first functional is the mean pitch in semitones above 27.5 Hz: 220 Hz is three octaves.
    assert result.utterance[0] == pytest.approx(36, abs=0.1)
    # The eleventh descriptor is that pitch per frame.
    assert np.median(result.values[:, 10]) == pytest.approx(36, abs=0.1)


# Functionals as published; descriptors of ComParE 2016 and IS13 are the same 65, IS09 and IS10 without their deltas.
WIDTHS = {"compare2016": (6373, 65), "is09": (384, 16), "is10": (1582, 38), "is13": (6373, 65), "emobase": (988, 26)}


@needs_opensmile
@pytest.mark.parametrize("name", WIDTHS)
def test_other_sets(name):
    encoder = build_encoder(get_spec(name, "audio"), level="frame")
    loud = buzz(150)
    quiet = Sound(loud.samples / 8, loud.rate)
    loud, quiet = encoder.encode([loud, quiet])
    assert (len(loud.utterance), loud.values.shape[1]) == WIDTHS[name]
    assert np.isfinite(loud.utterance).all()
    np.testing.assert_allclose(np.diff(loud.times), 0.01, atol=1e-9)
    energy = [n for n, label in enumerate(encoder._functionals.feature_names) if _is_mean_energy(label)]
    assert (loud.utterance[energy] > quiet.utterance[energy]).mean() > 0.5
    assert energy


def _is_mean_energy(label: str) -> bool:
    return (
        any(word in label for word in ("RMSenergy", "loudness_sma", "logMelFreqBand"))
        and label.endswith("_amean")
        and "_de_" not in label
    )


@needs_opensmile
def test_times():
    encoder = build_encoder(get_spec("egemaps", "audio"), level="frame")
    samples = np.random.default_rng(0).normal(0, 1e-4, 16000).astype(np.float32)
    samples[8000:8020] += 0.5
    (result,) = encoder.encode([Sound(samples, 16000)])
    np.testing.assert_allclose(result.times, np.arange(96) / 100 + 0.01, atol=1e-9)
    loudness = result.values[:, 0]
    assert result.times[loudness > 0.9 * loudness.max()].mean() == pytest.approx(0.5, abs=0.006)


@needs_opensmile
def test_utterance_level_leaves_out_the_frames():
    sound = buzz(150)
    (brief,) = build_encoder(get_spec("egemaps", "audio"), level="utterance").encode([sound])
    (full,) = build_encoder(get_spec("egemaps", "audio"), level="frame").encode([sound])
    assert brief.values.shape == (0, 25)
    assert brief.times.shape == (0,)
    np.testing.assert_array_equal(brief.utterance, full.utterance)


@needs_opensmile
def test_too_short():
    encoder = build_encoder(get_spec("egemaps", "audio"), level="frame")
    results = encoder.encode([Sound(np.full(n, 0.1, np.float32), 16000) for n in (0, 1, 1599, 1600)])
    assert [isinstance(result, ClipError) for result in results] == [True, True, True, False]
    assert results[1].status == Status.TOO_SHORT
    assert results[1].reason == "0.1 ms of sound, openSMILE needs 100 ms"
    assert np.isfinite(results[3].utterance).all()


@needs_opensmile
def test_silent_sound_stays_finite():
    encoder = build_encoder(get_spec("egemaps", "audio"), level="frame")
    (result,) = encoder.encode([Sound(np.zeros(8000, np.float32), 16000)])
    assert np.isfinite(result.values).all()
    assert np.isfinite(result.utterance).all()


@needs_opensmile
def test_two_threads_give_what_one_gives():
    from concurrent.futures import ThreadPoolExecutor

    encoder = build_encoder(get_spec("egemaps", "audio"))
    sounds = [buzz(f) for f in (100, 140, 180, 220)]
    alone = [result.utterance for result in encoder.encode(sounds)]
    with ThreadPoolExecutor(2) as pool:
        together = [result[0].utterance for result in pool.map(lambda sound: encoder.encode([sound]), sounds)]
    np.testing.assert_array_equal(alone, together)


def test_missing_package(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "opensmile" else find(name))
    with pytest.raises(UserError) as caught:
        build_encoder(get_spec("egemaps", "audio"))
    assert str(caught.value) == (
        "The audio encoder 'egemaps' needs the package opensmile, which is not installed. Install it with: "
        'pip install "mer-toolkit[opensmile]" (in a checkout: pip install -e ".[opensmile]").'
    )


def test_licence_is_for_research():
    assert "research" in get_spec("egemaps", "audio").licence


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_interrupted_by_the_keyboard():
    """openSMILE calls back into Python, where an interruption would be ignored and the clip be full of NaN."""
    samples = np.random.default_rng(0).normal(0, 0.1, 20 * 16000).astype(np.float32)
    encoder = build_encoder(get_spec("compare2016", "audio"))
    encoder.encode([Sound(samples[:16000], 16000)])
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it may come a little late
        timer.start()
        encoder.encode([Sound(samples, 16000)])
        timer.join()

"""The prosody encoder on sounds whose pitch, energy and tempo are known."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from feature_extraction.acoustics import frames as cutting
from feature_extraction.audio.prosody import DESCRIPTORS, FUNCTIONALS
from feature_extraction.encoder import build_encoder, get_spec
from toolkit.errors import ClipError
from toolkit.media import Sound
from toolkit.status import Status

TIME = np.arange(16000) / 16000


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(get_spec("prosody", "audio"), level="frame")


def encode(encoder, samples: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Returns descriptors and functionals by name."""
    (result,) = encoder.encode([Sound(samples.astype(np.float32), 16000)])
    assert result.values.shape == (len(samples) // 160, 60)
    assert result.values.dtype == result.utterance.dtype == np.float32
    frames = dict(zip(DESCRIPTORS, result.values.T, strict=True))
    return frames, dict(zip(FUNCTIONALS, result.utterance, strict=True))


def test_names_are_unique():
    assert len(DESCRIPTORS) == len(set(DESCRIPTORS)) == 60
    assert len(FUNCTIONALS) == len(set(FUNCTIONALS)) == 132


def test_tone_of_440_hertz(encoder):
    frames, clip = encode(encoder, 0.5 * np.sin(2 * np.pi * 440 * TIME))
    # 440 Hz is four octaves above 27.5 Hz.
    np.testing.assert_allclose(27.5 * 2 ** (frames["pitch"] / 12), 440, rtol=0.01)
    assert clip["pitch_p50"] == pytest.approx(48, abs=0.01)
    assert clip["voiced_part"] == 1
    assert clip["pitch_std"] < 0.02
    middle = slice(5, -5)
    np.testing.assert_allclose(frames["energy"][middle], 10 * np.log10(0.125), atol=0.1)  # the mean square is A^2 / 2
    np.testing.assert_allclose(frames["centroid"][middle], 0.44, atol=0.01)
    np.testing.assert_allclose(frames["zero_crossings"][middle], 2 * 440 / 16000, atol=0.003)


def test_times_are_the_middles(encoder):
    (result,) = encoder.encode([Sound(np.full(1700, 0.1, np.float32), 16000)])
    np.testing.assert_allclose(result.times, np.arange(10) / 100 + 0.005)


def test_click_is_seen_at_its_time(encoder):
    samples = np.random.default_rng(0).normal(0, 1e-4, 16000)
    samples[8000] = 1
    (result,) = encoder.encode([Sound(samples.astype(np.float32), 16000)])
    energy = result.values[:, DESCRIPTORS.index("energy")]
    loud = result.times[energy > energy.max() - 3]
    assert loud.mean() == pytest.approx(0.5, abs=0.005)


def test_louder_changes_energy_alone(encoder):
    voice = sum(0.1 / k * np.sin(2 * np.pi * 150 * k * TIME) for k in range(1, 20))
    voice += np.random.default_rng(0).normal(0, 1e-3, 16000)
    _, quiet = encode(encoder, voice)
    _, loud = encode(encoder, 4 * voice)
    assert loud["energy_mean"] - quiet["energy_mean"] == pytest.approx(20 * np.log10(4), abs=0.01)
    for name in ("pitch_mean", "tilt_mean", "alpha_ratio_mean", "mfcc1_mean", "energy_std", "voiced_part"):
        assert loud[name] == pytest.approx(quiet[name], abs=0.05), name


def test_excited_speech_differs_from_sad(encoder):
    def speak(pitch: float, swing: float, syllables: float) -> np.ndarray:
        time = np.arange(32000) / 16000
        contour = pitch * (1 + swing * np.sin(2 * np.pi * time))
        phase = 2 * np.pi * np.cumsum(contour) / 16000
        loudness = 0.02 + np.maximum(0, np.sin(np.pi * syllables * time)) ** 2
        return 0.2 * loudness * sum(np.sin(k * phase) / k for k in range(1, 15))

    _, excited = encode(encoder, speak(250, 0.3, 6))
    _, sad = encode(encoder, speak(110, 0.03, 2))
    assert excited["pitch_mean"] - sad["pitch_mean"] == pytest.approx(12 * np.log2(250 / 110), abs=1)
    assert excited["pitch_range_5_95"] > 4 * sad["pitch_range_5_95"]
    # Half of the half-waves are cut off; the time counts from the first active frame to the last.
    assert excited["energy_peaks"] == pytest.approx(3, abs=0.5)
    assert sad["energy_peaks"] == pytest.approx(1, abs=0.5)


def test_too_short(encoder):
    short, enough = encoder.encode([Sound(np.ones(1599, np.float32), 16000), Sound(np.ones(1600, np.float32), 16000)])
    assert isinstance(short, ClipError)
    assert short.status == Status.TOO_SHORT
    assert short.reason == "99.9 ms of sound, prosody needs 100 ms"
    assert enough.values.shape == (10, 60)


def test_no_samples(encoder):
    (result,) = encoder.encode([Sound(np.zeros(0, np.float32), 16000)])
    assert result.status == Status.TOO_SHORT


@pytest.mark.parametrize("kind", ["zeros", "constant", "click", "clipped"])
def test_silent_and_broken_sound_stays_finite(encoder, kind):
    samples = {
        "zeros": np.zeros(8000),
        "constant": np.ones(8000),
        "click": np.eye(1, 8000, 4000)[0],
        "clipped": np.sign(np.sin(2 * np.pi * 200 * TIME[:8000])),
    }[kind]
    (result,) = encoder.encode([Sound(samples.astype(np.float32), 16000)])
    assert np.isfinite(result.values).all()
    assert np.isfinite(result.utterance).all()


def test_nothing_is_compiled_at_the_first_call():
    code = (
        "import sys, numpy as np\n"
        "from feature_extraction.audio.prosody import Prosody\n"
        "from toolkit.media import Sound\n"
        "Prosody(Prosody.specs[0]).encode([Sound(np.ones(16000, np.float32), 16000)])\n"
        "print(sorted({'numba', 'librosa', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_emodb_sentence(encoder, shared_data):
    import soundfile

    # The same sentence of the same speaker.
    folder = shared_data / "emodb" / "audio_4class_original_16k"
    angry, neutral = (encode(encoder, soundfile.read(folder / f"{n}.flac")[0])[1] for n in ("08a01Wa", "08a01Na"))
    assert angry["pitch_p50"] > neutral["pitch_p50"] + 3
    assert angry["tilt_mean"] > neutral["tilt_mean"]


def make_voice(seconds: int) -> Sound:
    time = np.arange(seconds * 16000) / 16000
    phase = 2 * np.pi * np.cumsum(150 + 50 * np.sin(time)) / 16000
    voice = 0.2 * np.sin(phase) * np.maximum(0, np.sin(7 * time))
    return Sound((voice + np.random.default_rng(0).normal(0, 1e-3, len(time))).astype(np.float32), 16000)


def test_memory_of_a_long_sound(encoder):
    """Rows of 60 numbers in double precision, thrice; spectra and autocorrelations of a few seconds at once."""

    def peak(seconds: int) -> float:
        sound = make_voice(seconds)
        tracemalloc.start()
        encoder.encode([sound])
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest / 1e6

    assert peak(90) - peak(30) < 12  # MB per minute; two hours are 1.4 GB


@pytest.mark.parametrize("size", [7, 64])
def test_a_long_sound_is_cut_without_a_trace(encoder, monkeypatch, size):
    sound = make_voice(2)
    sound = Sound(sound.samples[:-77], 16000)
    (whole,) = encoder.encode([sound])
    monkeypatch.setattr(cutting, "BLOCK", size)
    (cut,) = encoder.encode([sound])
    np.testing.assert_allclose(cut.values, whole.values, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(cut.utterance, whole.utterance, rtol=1e-5, atol=1e-6)

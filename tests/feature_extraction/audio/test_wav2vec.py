import argparse
import dataclasses
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from feature_extraction.audio.wav2vec import TINY, Wav2VecEncoder
from feature_extraction.checkpoint import FOLDER_VARIABLE
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.models import wav2vec
from toolkit.status import Status

NAMED = {spec.name: spec for spec in Wav2VecEncoder.specs if spec.checkpoint != "tiny"}
ENCODER = dataclasses.replace(TINY, options=(("states", "encoder"),))


def make_sound(seed: int, seconds: float) -> Sound:
    generator = np.random.default_rng(seed)
    time = np.arange(round(16000 * seconds)) / 16000
    voice = np.sin(2 * np.pi * 150 * time) * np.maximum(0, np.sin(2 * np.pi * 3 * time))
    return Sound((0.3 * voice + generator.normal(0, 0.01, len(time))).astype(np.float32), 16000)


@pytest.fixture
def released(tmp_path, monkeypatch) -> dict[str, torch.Tensor]:
    """A file like the released one, of a narrow network: what fairseq 0.9 saved, in torch's old format."""
    shape = wav2vec.Wav2VecShape(width=8)
    monkeypatch.setattr(wav2vec, "Wav2VecShape", lambda **_: shape)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    torch.manual_seed(5)
    state = wav2vec.Wav2Vec(shape).state_dict()
    predictor = {"wav2vec_predictions.project_to_steps.weight": torch.zeros(8, 8, 1, 12)}
    meters = ModuleType("fairseq.meters")
    meters.AverageMeter = type("AverageMeter", (), {"__module__": "fairseq.meters"})
    meter = meters.AverageMeter()
    meter.avg = 0.5
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fairseq", ModuleType("fairseq"))
        patch.setitem(sys.modules, "fairseq.meters", meters)
        content = {
            "args": argparse.Namespace(arch="wav2vec", skip_connections_agg=True, residual_scale=0.5),
            "model": state | predictor,
            "extra_state": {"epoch": 3, "train_meters": {"train_loss": meter}},
            "last_optimizer_state": None,
        }
        torch.save(content, tmp_path / "wav2vec_large.pt", _use_new_zipfile_serialization=False)
    return state


def test_the_released_file(released):
    sound = make_sound(0, 0.5)
    network = wav2vec.Wav2Vec(wav2vec.Wav2VecShape())
    network.load_state_dict(released)
    for name, context in (("wav2vec-large-c", True), ("wav2vec-large-z", False)):
        (result,) = Wav2VecEncoder(NAMED[name], level="frame").encode([sound])
        with torch.inference_mode():
            expected = network(torch.from_numpy(sound.samples)[None], context=context)[0].numpy()
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(result.times, (160 * np.arange(len(expected)) + 232.5) / 16000, atol=1e-9)


def test_a_file_with_other_classes(released, tmp_path):
    torch.save({"args": make_sound}, tmp_path / "wav2vec_large.pt")
    with pytest.raises(UserError, match="cannot be read safely"):
        Wav2VecEncoder(NAMED["wav2vec-large-c"])


def test_named_specs():
    assert {name: spec.option("states") for name, spec in NAMED.items()} == {
        "wav2vec-large-c": "context",
        "wav2vec-large-z": "encoder",
    }
    for spec in NAMED.values():
        assert (spec.dim, spec.sample_rate, spec.checkpoint) == (512, 16000, "local:wav2vec_large.pt")
        assert "wav2vec_large.pt" in spec.source


@pytest.mark.parametrize("spec", [TINY, ENCODER], ids=["context", "encoder"])
def test_a_clip_alone_equals_a_clip_among_others(spec):
    encoder = Wav2VecEncoder(spec, level="frame")
    sounds = [make_sound(seed, seconds) for seed, seconds in enumerate((0.5, 0.53, 0.5, 0.51))]
    for sound, together in zip(sounds, encoder.encode(sounds), strict=True):
        (alone,) = encoder.encode([sound])
        np.testing.assert_allclose(alone.values, together.values, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(alone.times, together.times)


def test_ten_minutes():
    sound = make_sound(1, 600)
    (result,) = Wav2VecEncoder(TINY, level="frame").encode([sound])
    assert len(result.values) == (600 * 16000 - 465) // 160 + 1
    np.testing.assert_allclose(np.diff(result.times), 0.01, atol=1e-9)
    # A chunk's second half is computed from other samples than its neighbour's first, yet the rows meet.
    (alone,) = Wav2VecEncoder(TINY, level="frame").encode([Sound(sound.samples[15 * 16000 : 45 * 16000], 16000)])
    part = result.values[1500 : 1500 + len(alone.values)]
    scale = np.abs(part).max()
    assert np.abs(part - alone.values)[500:].max() < 0.02 * scale
    assert np.abs(part[:-1] - alone.values[1:])[500:].max() > 0.2 * scale  # one frame off


def test_short_sounds():
    short, fits = Wav2VecEncoder(TINY).encode([make_sound(2, 0.029), make_sound(2, 0.030)])
    assert isinstance(short, ClipError)
    assert short.status == Status.TOO_SHORT
    assert fits.utterance.shape == (8,)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(precision):
    sound = make_sound(3, 1.0)
    (full,) = Wav2VecEncoder(TINY, level="frame").encode([sound])
    (half,) = Wav2VecEncoder(dataclasses.replace(TINY, precision=precision), level="frame").encode([sound])
    error = np.linalg.norm(half.values - full.values) / np.linalg.norm(full.values)
    assert 0 < error < (0.05 if precision == "bfloat16" else 0.01)

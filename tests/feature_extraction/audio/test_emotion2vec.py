"""The package is large and not among the tested ones, so a stand-in with its interface takes its place; where the
package is installed, its own network with random weights runs too."""

import dataclasses
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from feature_extraction.audio.emotion2vec import Emotion2vec
from feature_extraction.encoder import build_encoder, get_spec
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

RATE = 16000
SPEC = get_spec("emotion2vec", "audio")


class Windows(torch.nn.Module):
    """What a frame saw: its first sample, its last, and the mean; with the package's method and strides."""

    def __init__(self, normalize: bool) -> None:
        super().__init__()
        self.cfg = SimpleNamespace(normalize=normalize)
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.batches: list[int] = []

    def extract_features(self, source: torch.Tensor, *, padding_mask: None) -> dict[str, torch.Tensor]:
        self.batches.append(len(source))
        seen = source.unfold(1, 400, 320)
        return {"x": torch.stack([seen[..., 0], seen[..., -1], seen.mean(dim=-1)], dim=-1) * self.weight}


@pytest.fixture
def funasr(monkeypatch):
    """A stand-in for the package that remembers how it was called; ``normalize`` and ``error`` may be set."""
    package = ModuleType("funasr")
    package.__spec__ = ModuleSpec("funasr", None)
    package.normalize, package.error, package.called = True, None, {}

    def build(**options):
        package.called = options
        if package.error is not None:
            raise package.error
        return SimpleNamespace(model=Windows(package.normalize))

    package.AutoModel = build
    monkeypatch.setitem(sys.modules, "funasr", package)
    return package


def make_sound(seed: int, samples: int) -> Sound:
    return Sound(np.random.default_rng(seed).normal(0.1, 0.2, samples).astype(np.float32), RATE)


def test_how_the_package_is_asked(funasr):
    encoder = Emotion2vec(SPEC)
    assert (funasr.called["model"], funasr.called["model_revision"]) == ("iic/emotion2vec_base", SPEC.revision)
    assert funasr.called["ncpu"] == torch.get_num_threads()
    assert isinstance(encoder.network, Windows)
    assert SPEC.dim == 768


def test_the_clip_is_normalised_as_a_whole(funasr):
    sound = make_sound(0, 16_123)
    (result,) = Emotion2vec(SPEC, level="frame").encode([sound])
    expected = torch.nn.functional.layer_norm(torch.from_numpy(sound.samples), sound.samples.shape).unfold(0, 400, 320)
    assert result.values.shape == (50, 3)
    np.testing.assert_allclose(result.values[:, 0], expected[:, 0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.values[:, 1], expected[:, -1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times[:3], [0.0125, 0.0325, 0.0525])


@pytest.mark.parametrize("frames", [1, 1500, 1501, 4000])
def test_nothing_is_lost_doubled_or_shifted_at_a_seam(funasr, frames):
    """The sound is its own clock: sample ``i`` is ``i`` seconds at its rate, and a frame is the mean of what it saw."""
    funasr.normalize = False
    samples = 400 + (frames - 1) * 320 + 17
    clock = Sound((np.arange(samples) / RATE).astype(np.float32), RATE)
    (result,) = Emotion2vec(SPEC, level="frame").encode([clock])
    assert len(result.values) == frames
    np.testing.assert_allclose(result.times, (np.arange(frames) * 320 + 200) / RATE)
    np.testing.assert_allclose(result.values[:, 2], result.times, rtol=0, atol=1e-4)


def test_only_clips_of_one_length_share_a_batch(funasr):
    encoder = Emotion2vec(SPEC, level="frame")
    sounds = [make_sound(seed, samples) for seed, samples in enumerate((16_000, 16_010, 16_000, 8_000))]
    results = encoder.encode(sounds)
    assert sorted(encoder.network.batches) == [1, 1, 2]
    for sound, together in zip(sounds, results, strict=True):
        np.testing.assert_allclose(encoder.encode([sound])[0].values, together.values, rtol=0, atol=1e-6)


def test_too_short(funasr):
    for samples in (0, 399):
        (result,) = Emotion2vec(SPEC).encode([make_sound(0, samples)])
        assert isinstance(result, ClipError)
        assert result.status == Status.TOO_SHORT
        assert "25 ms" in result.reason


def test_short_numbers(funasr):
    encoder = Emotion2vec(dataclasses.replace(SPEC, precision="bfloat16"), level="frame")
    (result,) = encoder.encode([make_sound(0, 16_000)])
    assert result.values.dtype == np.float32
    assert np.array_equal(result.values, torch.from_numpy(result.values).bfloat16().float())


def test_no_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "mer-toolkit\[emotion2vec\]"'):
        build_encoder(SPEC)


def test_no_checkpoint(funasr):
    funasr.error = RuntimeError("model 'iic/emotion2vec_base' is not registered.\nand much more")
    with pytest.raises(UserError) as error:
        build_encoder(SPEC)
    assert "not registered.\nOn a machine with a connection: modelscope download --model iic" in str(error.value)


# The network of emotion2vec in small; the names are those of its configuration file.
_AUDIO = {
    "prenet_depth": 1, "prenet_layerdrop": 0.0, "prenet_dropout": 0.0, "start_drop_path_rate": 0.0,
    "end_drop_path_rate": 0.0, "num_extra_tokens": 2, "init_extra_token_zero": True, "mask_noise_std": 0.01,
    "inverse_mask": False, "keep_masked_pct": 0.0, "use_alibi_encoder": True, "alibi_scale": 1.0,
    "learned_alibi": False, "alibi_max_pos": None, "learned_alibi_scale": True, "learned_alibi_scale_per_head": True,
    "learned_alibi_scale_per_layer": False, "num_alibi_heads": 2, "model_depth": 1, "decoder": None,
    "extractor_mode": "layer_norm", "conv_pos_width": 9, "conv_pos_groups": 2, "conv_pos_depth": 2,
    "conv_pos_pre_ln": False, "local_grad_mult": 1.0,
    "feature_encoder_spec": "[(8, 10, 5)] + [(8, 3, 2)] * 4 + [(8, 2, 2)] * 2",
}  # fmt: skip
_NETWORK = {
    "depth": 1, "start_drop_path_rate": 0.0, "end_drop_path_rate": 0.0, "num_heads": 2, "norm_eps": 1e-5,
    "norm_affine": True, "encoder_dropout": 0.1, "post_mlp_drop": 0.1, "attention_dropout": 0.1,
    "activation_dropout": 0.0, "dropout_input": 0.0, "layerdrop": 0.05, "embed_dim": 16, "mlp_ratio": 2.0,
    "layer_norm_first": False, "end_of_block_targets": False, "clone_batch": 1, "normalize": True,
    "modalities": {"audio": _AUDIO},
}  # fmt: skip


def test_the_package_itself(tmp_path: Path):
    model = pytest.importorskip("funasr.models.emotion2vec.model", reason="needs the extra emotion2vec")
    from funasr import AutoModel

    torch.manual_seed(0)
    torch.save({"model": model.Emotion2vec(model_conf=_NETWORK).state_dict()}, tmp_path / "model.pt")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": "Emotion2vec", "model_conf": _NETWORK}))
    theirs = AutoModel(model=str(tmp_path), device="cpu", disable_update=True, disable_pbar=True)
    encoder = Emotion2vec(dataclasses.replace(SPEC, checkpoint=f"funasr:{tmp_path}"), level="frame")
    for samples in (400, 719, 720, 16_123, 100_000):
        sound = make_sound(samples, samples)
        (expected,) = theirs.generate([sound.samples], granularity="frame", extract_embedding=True)
        (result,) = encoder.encode([sound])
        assert expected["feats"].shape == (1 + (samples - 400) // 320, 16)
        np.testing.assert_allclose(result.values, expected["feats"], rtol=0, atol=2e-5)

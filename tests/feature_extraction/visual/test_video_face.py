"""The VideoMAE of MER2024: the reference's views, its checkpoints, rows whose mean is the mean of all tokens."""

import argparse
import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from feature_extraction.checkpoint import seeded
from feature_extraction.encoder import all_specs, build_encoder
from feature_extraction.faces.track import FaceTrack
from feature_extraction.visual.video_face import TINY
from references.video_face import view_differences
from toolkit.errors import ClipError, UserError
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.videomae import VideoMaeFineTuning, VideoMaeSize
from toolkit.status import Status

MERTOOLS = dataclasses.replace(TINY, options=(("views", "mertools"),))
SMALL = VideoMaeSize(ClipShape(160), dim=16, depth=1, heads=2)


def make_track(crops: np.ndarray) -> FaceTrack:
    empty = np.zeros((len(crops), 0), np.float32)
    return FaceTrack(crops, np.arange(len(crops)) / 10, empty, empty, empty)


def noise(frames: int) -> FaceTrack:
    return make_track(np.random.default_rng(frames).integers(0, 256, (frames, 40, 40, 3)).astype(np.uint8))


def expected_rows(network: torch.nn.Module, pictures: np.ndarray) -> np.ndarray:
    """The rows of sixteen pictures, step by step."""
    resized = np.stack([np.asarray(Image.fromarray(p).resize((32, 32), Image.Resampling.BILINEAR)) for p in pictures])
    pixels = (resized / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    video = torch.from_numpy(pixels.astype(np.float32)).permute(3, 0, 1, 2)[None]
    with torch.inference_mode():
        tokens = network.tokens(video)[0]
    return np.stack([part.mean(0).numpy() for part in tokens.split(len(tokens) // 8)])


def test_rows_are_means_over_the_tokens_of_two_pictures():
    encoder = build_encoder(TINY, device="cpu", level="frame")
    track = noise(37)
    (result,) = encoder.encode([track])
    last = np.minimum(np.arange(22, 38), 36)
    parts = [track.crops[:16], track.crops[16:32], track.crops[last]]
    first, second, third = (expected_rows(encoder.network, pictures) for pictures in parts)
    np.testing.assert_allclose(result.values, np.concatenate([first, second, third[5:]]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, [*(0.2 * np.arange(18) + 0.05), 3.6])


def test_the_mean_of_rows_is_the_mean_of_tokens():
    encoder = build_encoder(TINY, device="cpu")
    track = noise(16)
    (result,) = encoder.encode([track])
    (piece,) = encoder.pieces(track)
    video = encoder.preprocessing.normalised(torch.from_numpy(piece.inputs)).transpose(0, 1)[None]
    with torch.inference_mode():
        np.testing.assert_allclose(result.utterance, encoder.network({"video": video}).features[0], rtol=0, atol=1e-5)


def test_views_are_those_of_the_reference(parity):
    found = view_differences(parity / "cnn_sunvideomae_preprocess.safetensors")
    assert [one.output for one in found] == [f"UTTERANCE_N{count}" for count in (12, 30, 90)]
    assert [one for one in found if one.share > 1] == []


@pytest.mark.parametrize("count", [1, 40, 64, 90])
def test_as_mertools(count):
    encoder = build_encoder(MERTOOLS, device="cpu", level="frame")
    track = noise(count)
    (result,) = encoder.encode([track])
    taken = list(range(0, count, 4))
    taken += taken[-1:] * (16 - len(taken))
    reversed_colours = track.crops[..., ::-1]
    first, last = (expected_rows(encoder.network, reversed_colours[part]) for part in (taken[:16], taken[-16:]))
    four = np.stack([first, first, last, last]).mean(axis=1)
    np.testing.assert_allclose(result.utterance, four.mean(axis=0), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.values, four[::2] if count == 90 else four[:1], rtol=0, atol=1e-5)
    assert (np.diff(result.times) > 0).all()
    assert result.times[-1] <= track.times[-1]


@pytest.fixture
def small(monkeypatch) -> dict[str, torch.Tensor]:
    """The state of the network that named specs then build, in the size of pictures they have."""
    monkeypatch.setattr("toolkit.models.videomae.VideoMaeSize", lambda shape: SMALL._replace(shape=shape))
    with seeded(5):
        return VideoMaeFineTuning(SMALL, norm_tokens=True).state_dict()


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """Where the weights of the named spec belong."""
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    path = tmp_path / "videomae-base-VoxCeleb2" / "checkpoint-99.pth"
    path.parent.mkdir()
    return path


def test_checkpoints_of_all_forms_are_read(small, checkpoint):
    pretraining = {f"encoder.{name}": value for name, value in small.items()}
    pretraining |= {"mask_token": torch.zeros(1, 1, 4), "encoder_to_decoder.weight": torch.zeros(4, 16)}
    pretraining |= {"decoder.norm.weight": torch.zeros(4), "decoder.blocks.0.attn.q_bias": torch.zeros(4)}
    options = argparse.Namespace(model="pretrain_videomae_base_patch16_160", lr=1e-3, betas=[0.9, 0.95])
    forms = {
        "trainer": {"model": pretraining, "epoch": 99, "args": options, "optimizer": {"state": {}}},
        "wrapped": {"module": {f"backbone.{name}": value for name, value in small.items()}},
        "bare, with a classifier": {**small, "head.weight": torch.zeros(6, 16), "head.bias": torch.zeros(6)},
    }
    for form, content in forms.items():
        torch.save(content, checkpoint)
        state = build_encoder(all_specs()["videomae-base-voxceleb2"], device="cpu").network.state_dict()
        assert state.keys() == small.keys(), form
        assert all(torch.equal(value, small[name]) for name, value in state.items()), form


def test_a_checkpoint_of_another_network(small, checkpoint):
    torch.save({**small, "cls_token": torch.zeros(1)}, checkpoint)
    with pytest.raises(UserError, match="cls_token"):
        build_encoder(all_specs()["videomae-base-voxceleb2"])
    del small["norm.weight"]  # a network that normalises after the mean
    torch.save(small, checkpoint)
    with pytest.raises(UserError, match=r"lacks 'norm\.weight'"):
        build_encoder(all_specs()["videomae-base-voxceleb2"])


def test_no_checkpoint(checkpoint):
    with pytest.raises(UserError, match=r"checkpoint-99\.pth, which do not exist.*drive\.google\.com"):
        build_encoder(all_specs()["videomae-base-voxceleb2"])


def test_an_empty_track():
    (result,) = build_encoder(TINY, device="cpu").encode([noise(0)])
    assert isinstance(result, ClipError)
    assert result.status == Status.NO_FACE


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(precision):
    (exact,) = build_encoder(TINY, device="cpu").encode([noise(20)])
    (rough,) = build_encoder(dataclasses.replace(TINY, precision=precision), device="cpu").encode([noise(20)])
    assert rough.utterance.dtype == np.float32
    np.testing.assert_allclose(rough.utterance, exact.utterance, rtol=0, atol=0.03)
    assert (rough.utterance != exact.utterance).any()

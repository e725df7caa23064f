"""VideoMAE of transformers: features equal those of the library's own processor and network."""

import dataclasses

import numpy as np
import pytest
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, VideoMAEConfig, VideoMAEForPreTraining, VideoMAEModel
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from feature_extraction.checkpoint import seeded
from feature_extraction.encoder import all_specs, build_encoder
from feature_extraction.faces.track import FaceTrack
from feature_extraction.reference import find_spec
from feature_extraction.visual.video import TINY
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

SIZE = 32


def make_track(frames: int, size: int = 40, seed: int = 0) -> FaceTrack:
    """Pictures that have nothing to do with each other, at uneven times."""
    generator = np.random.default_rng(seed)
    crops = generator.integers(0, 256, (frames, size, size, 3)).astype(np.uint8)
    times = np.cumsum(generator.uniform(0.05, 0.2, frames))
    empty = np.zeros((frames, 0), np.float32)
    return FaceTrack(crops, times, empty, empty, empty)


def make_config(**options) -> VideoMAEConfig:
    return VideoMAEConfig(
        image_size=SIZE, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        use_mean_pooling=False, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of pretraining with its processor, as MCG-NJU publishes them, but small."""
    path = tmp_path_factory.mktemp("videomae")
    decoder = {"decoder_hidden_size": 8, "decoder_num_attention_heads": 2, "decoder_num_hidden_layers": 1}
    with seeded(1):
        VideoMAEForPreTraining(make_config(**decoder)).save_pretrained(path)
    processor = VideoMAEImageProcessorPil(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}, image_mean=[0.4, 0.5, 0.6]
    )
    processor.save_pretrained(path)
    return path


@pytest.fixture
def spec(folder):
    return dataclasses.replace(TINY, name="small", checkpoint=f"hf:{folder}", input_size=None, dim=None)


@pytest.fixture
def library(folder):
    """Maps sixteen pictures to the rows of the library's own processor and network."""
    processor = VideoMAEImageProcessorPil.from_pretrained(folder)
    network = VideoMAEModel.from_pretrained(folder).eval()

    def rows(pictures: np.ndarray) -> np.ndarray:
        pixels = processor(list(pictures), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            states = network(pixel_values=pixels).last_hidden_state[0]
        return np.stack([part.mean(0).numpy() for part in states.split(len(states) // 8)])

    return rows


def test_features_are_those_of_the_library(spec, library):
    encoder = build_encoder(spec, device="cpu", level="frame")
    for frames in (16, 38):
        track = make_track(frames)
        (result,) = encoder.encode([track])
        expected = [library(track.crops[:16])]
        if frames == 38:
            expected += [library(track.crops[16:32]), library(track.crops[22:])[5:]]
        np.testing.assert_allclose(result.values, np.concatenate(expected), rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.utterance, np.concatenate(expected).mean(0), rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.times, track.times.reshape(-1, 2).mean(1))


def test_any_folder_of_the_kind(folder, library):
    spec = find_spec(f"hf:{folder}", "visual")
    track = make_track(16)
    (result,) = build_encoder(spec, device="cpu", level="frame").encode([track])
    assert spec.family == "video"
    np.testing.assert_allclose(result.values, library(track.crops), rtol=0, atol=1e-5)


def test_a_clip_of_few_pictures(spec, library):
    encoder = build_encoder(spec, device="cpu", level="frame")
    one, five = make_track(1), make_track(5)
    first, second = encoder.encode([one, five])
    np.testing.assert_allclose(first.values, library(one.crops.repeat(16, 0))[:1], rtol=0, atol=1e-5)
    assert first.times.tolist() == one.times.tolist()
    padded = five.crops[np.minimum(np.arange(16), 4)]
    np.testing.assert_allclose(second.values, library(padded)[:3], rtol=0, atol=1e-5)


def test_as_mertools(spec, library):
    theirs = dataclasses.replace(spec, options=(("windows", "uniform"),))
    encoder = build_encoder(theirs, device="cpu", level="frame")
    for frames, taken in {40: np.arange(16) * 5 // 2, 9: np.minimum(np.arange(16), 8)}.items():
        track = make_track(frames)
        (result,) = encoder.encode([track])
        np.testing.assert_allclose(result.values, library(track.crops[taken]), rtol=0, atol=1e-5)
        assert len(result.times) == 8
        assert (np.diff(result.times) > 0).all()


def test_layers(spec, folder):
    layered = dataclasses.replace(spec, layers=(0, -2), combine="keep")
    track = make_track(16)
    (result,) = build_encoder(layered, device="cpu", level="frame").encode([track])
    pixels = VideoMAEImageProcessorPil.from_pretrained(folder)(list(track.crops), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        states = VideoMAEModel.from_pretrained(folder).eval()(pixels, output_hidden_states=True).hidden_states
    expected = torch.cat([states[0], states[-2]], dim=2)[0].unflatten(0, (8, -1)).mean(1)
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)


def test_pictures_of_another_size_than_the_network(folder, spec, tmp_path):
    VideoMAEModel(make_config()).save_pretrained(tmp_path)
    VideoMAEImageProcessorPil().save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"makes pictures of \(224, 224\) pixels.*expects \(32, 32\)"):
        build_encoder(dataclasses.replace(spec, checkpoint=f"hf:{tmp_path}"))


def test_a_checkpoint_of_another_network(spec, tmp_path):
    CLIPVisionModel(
        CLIPVisionConfig(image_size=SIZE, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    ).save_pretrained(tmp_path)
    VideoMAEImageProcessorPil(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}).save_pretrained(
        tmp_path
    )
    with pytest.raises(UserError, match=r"lacks 'embeddings\S+' and \d+ more"):
        build_encoder(dataclasses.replace(spec, checkpoint=f"hf:{tmp_path}"))


def test_an_empty_track():
    (result,) = build_encoder(TINY, device="cpu").encode([make_track(0)])
    assert isinstance(result, ClipError)
    assert result.status == Status.NO_FACE


def test_thousands_of_pictures_out_of_a_memory_map(tmp_path):
    """Every second row knows its pictures: the network gives back their mean brightness."""
    count = 3001
    crops = np.memmap(tmp_path / "crops", np.uint8, "w+", shape=(count, 32, 32, 3))
    crops[:] = (np.arange(count) % 251)[:, None, None, None]
    empty = np.zeros((count, 0), np.float32)
    track = FaceTrack(crops, np.arange(count) / 10, empty, empty, empty)
    encoder = build_encoder(TINY, device="cpu", level="frame")
    encoder.rows = lambda videos: videos.mean(dim=(2, 3, 4)).unflatten(1, (8, 2)).mean(2)[..., None]
    (result,) = encoder.encode([track])
    even = np.append(np.arange(count), count - 1).reshape(-1, 2)
    expected = (even % 251).mean(axis=1) / 127.5 - 1
    np.testing.assert_allclose(result.values[:, 0], expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, np.append(np.arange(1500) * 0.2 + 0.05, 300.0))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(precision):
    track = make_track(20)
    (exact,) = build_encoder(TINY, device="cpu").encode([track])
    (rough,) = build_encoder(dataclasses.replace(TINY, precision=precision), device="cpu").encode([track])
    assert rough.utterance.dtype == np.float32
    np.testing.assert_allclose(rough.utterance, exact.utterance, rtol=0, atol=0.03)
    assert (rough.utterance != exact.utterance).any()


def test_named_specs():
    specs = all_specs("visual")
    for name, dim in {"videomae-base": 768, "videomae-large": 1024}.items():
        ours, theirs = specs[name], specs[f"{name}@mertools"]
        assert (ours.checkpoint, ours.dim) == (f"hf:MCG-NJU/{name}", dim)
        assert (ours.option("windows"), theirs.option("windows")) == (None, "uniform")
        assert theirs.faces.name == "organisers"

"""Models of timm; what needs the library is skipped where it, or its torchvision, cannot be imported."""

import dataclasses
import sys

import numpy as np
import pytest
import torch

from feature_extraction.encoder import all_specs, build_encoder
from feature_extraction.faces.track import FaceTrack
from feature_extraction.visual.timm_image import _TINY, _timm
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

TINY = all_specs("visual")["tiny-timm"]


def build(spec, level="frame"):
    try:
        _timm()
    except UserError as error:
        pytest.skip(str(error))  # the message says which package, and why
    return build_encoder(spec, level=level)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package called timm out of source text, instead of any installed one."""

    def make(text):
        (tmp_path / "timm").mkdir()
        (tmp_path / "timm" / "__init__.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        for name in ("timm", "timm.data", "torchvision"):
            monkeypatch.delitem(sys.modules, name, raising=False)

    yield make
    for name in ("timm", "timm.data"):
        sys.modules.pop(name, None)


def test_asked_for_but_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)  # what Python takes for: not there
    with pytest.raises(UserError, match=r"need the package 'timm', .* pip install .*\[timm\]"):
        build_encoder(TINY)


def test_torchvision_for_another_torch(package):
    package("raise RuntimeError('operator torchvision::nms does not exist')")
    with pytest.raises(UserError, match=r"torchvision does not fit torch .*torchvision::nms does not exist.*uninstall"):
        build_encoder(TINY)


def make_track(seed: int, frames: int, shape: tuple[int, int] = (112, 112)) -> FaceTrack:
    crops = np.random.default_rng(seed).integers(0, 256, (frames, *shape, 3)).astype(np.uint8)
    empty = np.zeros((frames, 0), np.float32)
    return FaceTrack(crops, np.arange(frames) / 10, empty, empty, empty)


TRACKS = [make_track(0, 3), make_track(1, 19), make_track(2, 1, (60, 91))]


STAND_IN = """
import torch
asked = []
class Means(torch.nn.Module):
    def forward(self, pixels):
        return pixels.mean(dim=(2, 3))
def create_model(name, **options):
    asked.append((name, options))
    if "absent" in name:
        raise OSError("no connection\\nand more")
    return Means()
"""
STAND_IN_DATA = """
from types import SimpleNamespace
CONFIG = dict(input_size=(3, 8, 8), mean=(0.5, 0.0, 0.25), std=(0.5, 1.0, 0.25))
def resolve_model_data_config(network):
    return CONFIG
def create_transform(**options):
    assert options == CONFIG | dict(is_training=False)
    steps = [lambda image: image.resize((10, 12)), lambda image: image.crop((1, 2, 9, 10)), "to tensor", "normalise"]
    return SimpleNamespace(transforms=steps)
"""


@pytest.fixture
def stand_in(package, tmp_path):
    """A timm whose features are the mean colours of the picture."""
    package(STAND_IN)
    (tmp_path / "timm" / "data.py").write_text(STAND_IN_DATA, encoding="utf-8")


def test_steps_and_colours(stand_in):
    from PIL import Image

    spec = dataclasses.replace(TINY, checkpoint="timm:some_model.tag", revision="abc", input_size=8)
    encoder = build_encoder(spec, level="frame")
    assert sys.modules["timm"].asked == [("hf-hub:timm/some_model.tag@abc", {"pretrained": True, "num_classes": 0})]
    for track, result in zip(TRACKS, encoder.encode(TRACKS), strict=True):
        pictures = [np.asarray(Image.fromarray(crop).resize((10, 12)))[2:10, 1:9] for crop in track.crops]
        means = np.stack(pictures).mean(axis=(1, 2)) / 255
        np.testing.assert_allclose(result.values, (means - [0.5, 0.0, 0.25]) / [0.5, 1.0, 0.25], rtol=0, atol=1e-5)
        np.testing.assert_array_equal(result.times, track.times)


def test_what_is_not_there(stand_in):
    spec = dataclasses.replace(TINY, checkpoint="timm:absent_model", revision="abc", input_size=8)
    with pytest.raises(
        UserError, match=r"timm model absent_model, .* no connection\nOn .* hf download timm/absent_model"
    ):
        build_encoder(spec)
    with pytest.raises(UserError, match=r"needs pictures of 224 x 224 pixels, but timm:some takes them 8 x 8"):
        build_encoder(dataclasses.replace(spec, checkpoint="timm:some", input_size=224))


@pytest.fixture
def folder(tmp_path):
    """What ``save_for_hf`` writes of a small EVA-02."""
    build(TINY)  # or skips
    import timm

    torch.manual_seed(3)
    network = timm.create_model(**_TINY, pretrained=False, num_classes=5)
    arguments = {key: _TINY[key] for key in ("img_size", "depth", "embed_dim", "num_heads")}
    timm.models.save_for_hf(network, tmp_path, model_args=arguments, safe_serialization=True)
    return tmp_path


def test_features_are_the_library_s(folder):
    """Its own transform and network, a clip at a time."""
    import timm
    from PIL import Image

    network = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False)
    encoder = build(dataclasses.replace(TINY, checkpoint=f"timm:{folder}"))
    for track, result in zip(TRACKS, encoder.encode(TRACKS), strict=True):
        pixels = torch.stack([transform(Image.fromarray(crop)) for crop in track.crops])
        with torch.inference_mode():
            expected = network(pixels).numpy()
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(result.times, track.times)
        (alone,) = encoder.encode([track])
        np.testing.assert_allclose(alone.values, result.values, rtol=0, atol=1e-5)


def test_laws():
    encoder = build(TINY)
    results = encoder.encode(TRACKS)
    assert results[1].values.shape == (19, TINY.dim)
    assert np.ptp(results[1].values, axis=0).min() > 1e-3
    for one, other in zip(encoder.encode(TRACKS[::-1])[::-1], results, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=0, atol=1e-5)
    for one, other in zip(build(TINY, "utterance").encode(TRACKS), results, strict=True):
        np.testing.assert_allclose(one.utterance, other.values.mean(axis=0), rtol=0, atol=1e-5)
    (bad,) = encoder.encode([FaceTrack(*(field[:0] for field in TRACKS[0]))])
    assert isinstance(bad, ClipError)
    assert bad.status == Status.NO_FACE


def test_half_precision():
    (full,), (half,) = (
        build(dataclasses.replace(TINY, precision=precision)).encode(TRACKS[:1])
        for precision in ("float32", "bfloat16")
    )
    assert 0 < np.abs(full.values - half.values).mean() < 0.03 * np.abs(full.values).mean()


def test_a_model_that_is_not_there(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"needs the timm model .*, which cannot be loaded"):
        build(dataclasses.replace(TINY, checkpoint=f"timm:{folder}"))

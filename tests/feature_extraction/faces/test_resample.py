import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from feature_extraction.faces.resample import Integral, averaged, windows


@pytest.fixture(scope="module")
def frames():
    return list(np.random.default_rng(0).integers(0, 256, (3, 61, 87, 3), dtype=np.uint8))


def test_windows_share_a_pixel():
    first, last = windows(np.array([10]), np.array([15]), 2)
    assert first.tolist() == [[10, 12]]
    assert last.tolist() == [[13, 15]]


@pytest.mark.parametrize(("height", "width"), [(61, 87), (20, 29), (13, 40), (90, 100)])
def test_resized_is_torch_to_the_last_bit(frames, height, width):
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()
    expected = interpolate(pixels, size=(height, width), mode="area")
    assert torch.equal(Integral(frames).resized(height, width), expected)


def test_cropped_is_torch_to_the_last_bit(frames):
    boxes = np.array([[0, 0, 87, 61], [3, 7, 40, 50], [80, 60, 87, 61]])
    owners = np.array([2, 0, 1])
    found = Integral(frames).cropped(boxes, owners, 24)
    assert found.shape == (3, 3, 24, 24)
    for crop, (left, top, right, bottom), owner in zip(found, boxes, owners, strict=True):
        part = torch.from_numpy(frames[owner][top:bottom, left:right].copy()).permute(2, 0, 1)[None].float()
        assert torch.equal(crop, interpolate(part, size=(24, 24), mode="area")[0])


@pytest.mark.parametrize("shape", [(61, 87), (48, 48), (13, 40), (100, 20)])
def test_averaged_is_torch_to_the_last_bit(frames, shape):
    picture = np.resize(frames[0], (*shape, 3))
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    found = averaged(picture, 48)
    assert found.flags.c_contiguous  # channels last, as the networks are quickest and their rounding is always the same
    assert np.array_equal(found, interpolate(pixels, size=(48, 48), mode="area")[0].permute(1, 2, 0).numpy())

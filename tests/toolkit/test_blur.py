"""Blur by the Gaussian pyramid."""

import numpy as np
import pytest

from toolkit.blur import blur


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def test_factor_one_changes_nothing(image):
    assert blur(image, 1) is image


def test_detail_goes(image):
    spread = [float(blur(image, factor).std()) for factor in (1, 2, 4, 8)]
    assert spread[0] > 3 * spread[1] > 6 * spread[2] > spread[3]
    assert blur(image, 4).mean() == pytest.approx(image.mean(), abs=1.5)


def test_hand_computed():
    """A bright pixel under the kernel 1 4 6 4 1, down and up: (36 * 36 + 4 * 6 * 6 + 4 * 1) / 64 of 255 / 256 each."""
    image = np.zeros((33, 33, 3), np.uint8)
    image[16, 16] = 255
    assert blur(image, 2)[16, 16].tolist() == [23, 23, 23]  # 1444 / 64 = 22.6


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(47, 63), (48, 63), (31, 5), (3, 3), (2, 1), (1, 1)])
def test_odd_size(size, factor):
    image = np.full((*size, 3), 90, np.uint8)
    assert (blur(image, factor) == image).all()
    assert blur(image, factor).shape == image.shape


@pytest.mark.parametrize("factor", [0, 3, -2])
def test_no_power_of_two(image, factor):
    with pytest.raises(ValueError, match=str(factor)):
        blur(image, factor)

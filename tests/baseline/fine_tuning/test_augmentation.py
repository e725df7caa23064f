"""Crops, mirrors, noise and views of clips against cases worked out by hand."""

import numpy as np
import pytest
import torch

from baseline.fine_tuning.augmentation import (
    Augmentation,
    Box,
    as_input,
    erased,
    random_box,
    resized,
    views_of,
)
from baseline.fine_tuning.random_augment import RandomAugment

PLAIN = RandomAugment(operations=0)


def clip_of(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


class Told:
    """Gives the numbers it was told in place of random ones."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def uniform(self, low, high):
        number = self.numbers.pop(0)
        assert low <= number <= high
        return number

    def integers(self, stop):
        number = self.numbers.pop(0)
        assert 0 <= number < stop
        return number

    def random(self):
        return self.numbers.pop(0)

    def standard_normal(self, shape, dtype):
        return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def test_a_box_by_hand():
    # Half of 10 x 20 pixels, twice as wide as tall: height sqrt(100 / 2) = 7.07, width sqrt(100 * 2) = 14.1.
    chance = Told(0.5, np.log(2), 1, 4)
    assert random_box(10, 20, (0.1, 1.0), (0.5, 2.0), chance) == Box(1, 4, 7, 14)


def test_a_box_that_does_not_fit_is_drawn_again():
    chance = Told(1.0, np.log(1.3333), 0.25, 0.0, 2, 3)  # 1.15 times as wide as the picture; then 5 x 5
    assert random_box(10, 10, (0.08, 1.0), (0.75, 1.3333), chance) == Box(2, 3, 5, 5)


def test_where_no_box_fits_the_middle_is_taken():
    never = Told(*[1.0, 0.0] * 10)  # all of a picture of 10 x 40 as a square of 20
    assert random_box(10, 40, (0.08, 1.0), (0.75, 1.25), never) == Box(0, 14, 10, 12)


def test_the_crop_is_the_same_in_all_pictures_and_mirrored():
    pictures = np.repeat(clip_of(1, 8, 8), 3, axis=0)
    # Box of a quarter: rows 2 to 5, columns 3 to 6; mirrored, nothing erased.
    clip = Augmentation(PLAIN)(pictures, 4, Told(0.25, 0.0, 2, 3, 0.0, 0.9))
    expected = as_input(pictures[:, 2:6, 3:7][:, :, ::-1])
    assert torch.allclose(clip, expected, atol=1e-6)
    not_mirrored = Augmentation(PLAIN)(pictures, 4, Told(0.25, 0.0, 2, 3, 0.5, 0.9))
    assert torch.allclose(not_mirrored, expected.flip(3), atol=1e-6)


def test_a_crop_is_stretched_bilinearly():
    pictures = np.zeros((1, 2, 2, 3), np.uint8)
    pictures[0, :, 1] = 255
    clip = Augmentation(PLAIN, flip=0, erasing=0)(pictures, 4, Told(1.0, 0.0, 0, 0, 0.5, 0.5))
    # Middles of four pixels over two: 0, 1/4, 3/4 and 1 of the way from the first to the second.
    row = clip[0, 0, 0] * 0.229 + 0.485
    assert row.tolist() == pytest.approx([0, 0.25, 0.75, 1], abs=1e-6)


def test_erasing_one_box_other_noise():
    clip = torch.zeros(3, 2, 10, 10)
    # A tenth of the picture, 10 / 2.5 = 4 tall-by-wide squared: height 2, width 5 at row 7, column 1.
    found = erased(clip, Told(0.1, np.log(2.5), 7, 1))
    changed = (found != 0).any(dim=0)
    assert changed[:, 7:9, 1:6].sum() == 2 * 2 * 5
    changed[:, 7:9, 1:6] = False
    assert not changed.any()
    # Noise by picture, colour, row, column: the second picture's begins after the 30 numbers of the first.
    assert found[0, 0, 7, 1:6].tolist() == [0, 1, 2, 3, 4]
    assert found[2, 0, 8].tolist() == [0, 25, 26, 27, 28, 29, 0, 0, 0, 0]
    assert found[0, 1, 7, 1:6].tolist() == [30, 31, 32, 33, 34]
    assert not clip.any(), "the clip given is left as it was"


def test_erasing_happens_to_a_quarter():
    pictures = np.zeros((1, 16, 16, 3), np.uint8)
    chance = np.random.default_rng(0)
    change = Augmentation(PLAIN)
    plain = as_input(pictures)[:, :, :1, :1]
    erased_ones = sum(bool((change(pictures, 16, chance) - plain).abs().max() > 1e-4) for _ in range(400))
    assert erased_ones / 400 == pytest.approx(0.25, abs=0.06)


def test_resized():
    pictures = clip_of(2, 6, 9)
    assert resized(pictures, 3).shape == (2, 3, 3, 3)
    assert resized(pictures, 3, "short_side").shape == (2, 3, 4, 3)  # 4.5 is rounded to the even number
    assert resized(pictures.transpose(0, 2, 1, 3), 3, "short_side").shape == (2, 4, 3, 3)
    square = clip_of(2, 5, 5)
    assert resized(square, 5) is square
    # Half the size takes the mean of two middle pixels on each side.
    wide = np.zeros((1, 4, 4, 3), np.uint8)
    wide[:, :, 2:] = 200
    assert resized(wide, 2)[0, 0, :, 0].tolist() == [0, 200]


def test_views_lie_along_the_longer_side():
    wide = clip_of(2, 4, 10)
    first, middle, last = views_of(wide, 4, 3)
    assert (first == wide[:, :, :4]).all()
    assert (middle == wide[:, :, 3:7]).all()
    assert (last == wide[:, :, 6:]).all()
    tall = wide.transpose(0, 2, 1, 3)
    assert (views_of(tall, 4, 2)[1] == tall[:, 6:]).all()


def test_of_a_square_there_is_one_view():
    assert len(views_of(clip_of(2, 4, 4), 4, 2)) == 1


def test_as_input():
    clip = as_input(np.full((2, 1, 1, 3), 255, np.uint8))
    assert clip.shape == (3, 2, 1, 1)
    assert clip[:, 0, 0, 0].tolist() == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])

"""Random windows of random size."""

import numpy as np
import pytest

from baseline.pretraining.multi_scale_crop import multi_scale_crop


class Chosen:
    """Chance that chooses what it is told."""

    def __init__(self, *choices):
        self._choices = iter(choices)

    def integers(self, _):
        return next(self._choices)


def numbered(height, width):
    """A picture whose first two colours are row and column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1)[None].astype(np.uint8)


# Pairs (height, width) by scale: 1 1, 1 .875, .875 1, .875 .875, .875 .75, .75 .875, .75 .75, .75 .66, .66 .75, .66 .66
def test_windows_of_the_size_wanted_are_only_cut_out():
    whole = numbered(160, 160)
    np.testing.assert_array_equal(multi_scale_crop(whole, 160, Chosen(0, 4)), whole)
    middle = multi_scale_crop(whole, 120, Chosen(6, 4))
    np.testing.assert_array_equal(middle, whole[:, 20:140, 20:140])
    corner = multi_scale_crop(whole, 120, Chosen(6, 3))
    np.testing.assert_array_equal(corner, whole[:, 40:, 40:])
    quarter = multi_scale_crop(whole, 120, Chosen(6, 11))  # a quarter across, three down
    np.testing.assert_array_equal(quarter, whole[:, 30:150, 10:130])


def test_lengths_near_the_one_wanted_are_that():
    whole = numbered(160, 160)
    np.testing.assert_array_equal(multi_scale_crop(whole, 107, Chosen(9, 0)), whole[:, :107, :107])  # .66 is 105


def test_other_windows_are_stretched_to_a_square():
    crop = multi_scale_crop(numbered(100, 200), 64, Chosen(1, 2))  # as high as the picture, .875 of it wide, left below
    assert crop.shape == (1, 64, 64, 3)
    rows, columns = crop[0, :, 0, 0].astype(int), crop[0, 0, :, 1].astype(int)
    ends = (rows[0], rows[-1], columns[0], columns[-1])
    assert ends == pytest.approx((0, 99, 0, 86), abs=1)


def test_all_sizes_and_places_come_and_no_pixel_is_made_up():
    whole, chance = numbered(112, 112), np.random.default_rng(0)
    corners = {tuple(multi_scale_crop(whole, 112, chance)[0, 0, 0, :2].tolist()) for _ in range(400)}
    assert len(corners) > 20
    assert max(row for row, _ in corners) <= 112 - int(0.66 * 112)

"""RandAugment: each operation against numbers worked out by hand, and one draw for all pictures."""

import numpy as np
import pytest
from PIL import Image

from baseline.fine_tuning.random_augment import OPERATIONS, RandomAugment


def changed(name, picture, strength, sign=1):
    return np.asarray(OPERATIONS[name](strength, sign)(Image.fromarray(picture)))


def grey(*values, width=4):
    """A picture of one row per value."""
    rows = np.repeat(np.array(values, np.uint8)[:, None], width, axis=1)
    return np.repeat(rows[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("name", "strength", "before", "after"),
    [
        ("invert", 0.7, [0, 100, 255], [255, 155, 0]),
        # 256 - int(256 * 0.5) = 128: what is not below is turned round.
        ("solarize", 0.5, [0, 127, 128, 255], [0, 127, 127, 0]),
        ("solarize", 0.0, [0, 127, 128, 255], [0, 127, 128, 255]),
        # int(110 * 0.7) = 77 is added to what is below 128.
        ("solarize_add", 0.7, [0, 100, 127, 128, 200], [77, 177, 204, 128, 200]),
        # 4 - int(4 * 0.7) = 2 bits: multiples of 64.
        ("posterize", 0.7, [0, 63, 64, 130, 255], [0, 0, 64, 128, 192]),
        ("posterize", 0.0, [15, 16, 255], [0, 16, 240]),
        ("posterize", 1.0, [15, 16, 255], [0, 0, 0]),
        # From the lowest to the highest value over 0 to 255.
        ("auto_contrast", 0.7, [50, 100, 150], [0, 127, 255]),
        # 1 + 0.9 * 0.5 = 1.45 times as bright.
        ("brightness", 0.5, [0, 100, 200], [0, 145, 255]),
    ],
)
def test_colours(name, strength, before, after):
    assert changed(name, grey(*before), strength)[:, 0, 0].tolist() == after


def test_a_negative_sign_darkens():
    assert changed("brightness", grey(100), 0.5, sign=-1)[0, 0].tolist() == [55, 55, 55]  # 1 - 0.45


def test_colour_is_taken_away_by_its_share():
    picture = np.full((2, 2, 3), (200, 0, 0), np.uint8)
    luma = 200 * 299 // 1000  # 59 or, rounded, 60
    found = changed("color", picture, 1.0, sign=-1)[0, 0]  # 0.1 of the colour, 0.9 of grey
    assert found.tolist() == pytest.approx([0.1 * 200 + 0.9 * luma, 0.9 * luma, 0.9 * luma], abs=1.5)


def test_moving_by_a_share_of_the_width_leaves_grey_behind():
    picture = np.zeros((4, 20, 3), np.uint8)
    picture[:, 10] = 255
    found = changed("translate_x", picture, 1.0)  # 0.45 of 20 pixels: each is taken from 9 farther right
    assert found[:, 1].tolist() == [[255] * 3] * 4
    assert (found[:, 12:] == 128).all()
    assert changed("translate_x", picture, 1.0, sign=-1)[0, 19].tolist() == [255] * 3


def test_shear_moves_each_row_by_its_height():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20] = 255
    found = changed("shear_x", picture, 1.0)[..., 0].astype(int)  # x is taken from x + 0.3 y
    assert found[0].argmax() == 20
    assert found[30].argmax() == pytest.approx(20 - 0.3 * 30.5, abs=1)


def test_every_picture_is_changed_alike():
    """Whatever is drawn: equal pictures stay equal, and a clip's picture is what it would be alone."""
    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    augment, kinds = RandomAugment(), 0
    for seed in range(40):
        clip = augment(np.stack([picture] * 3), np.random.default_rng(seed))
        assert (clip == clip[0]).all()
        assert (augment(picture[None], np.random.default_rng(seed))[0] == clip[0]).all()
        kinds += int((clip[0] != picture).any())
    assert kinds > 30  # 15 in 16 have one operation at least, few of which leave such a picture as it is


def test_operations_happen_half_of_the_time():
    chance = np.random.default_rng(0)
    counts = [len(RandomAugment(operations=4).draw(chance)) for _ in range(2000)]
    assert np.mean(counts) == pytest.approx(2, abs=0.1)
    assert set(counts) == {0, 1, 2, 3, 4}


def test_no_operation_leaves_the_pictures():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    assert RandomAugment(operations=0)(pictures, np.random.default_rng(1)) is pictures


def test_there_are_fifteen_operations():
    assert len(OPERATIONS) == 15

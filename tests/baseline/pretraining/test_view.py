"""What is seen and heard of a clip."""

import numpy as np
import pytest

from baseline.face_clips.clip import Clip
from baseline.pretraining.view import PretrainingView, Window
from toolkit.clip_sound import random_gain
from toolkit.errors import ClipError
from toolkit.filter_bank import filter_bank_example


class Film(Clip):
    """Pictures whose value is their number, at 25 a second, with a tone."""

    def __init__(self, count, seconds=4.0):
        super().__init__("film", np.arange(count) / 25, None)
        self.sound = np.sin(np.arange(int(16000 * seconds)) / 10).astype(np.float32)

    def pictures(self, numbers):
        return np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], (len(numbers), 64, 64, 3))


def test_pictures_and_sound_of_one_stretch():
    seen = PretrainingView(64, step=4, hears=True)(Film(100), np.random.default_rng(3))
    assert {name: array.shape for name, array in seen.items()} == {"video": (16, 64, 64, 3), "audio": (1, 256, 128)}
    numbers = seen["video"][:, 0, 0, 0].astype(int)
    assert np.diff(numbers).tolist() == [4] * 15
    chance = np.random.default_rng(3)
    assert chance.choice(37) == numbers[0]
    chance.integers(10), chance.integers(13)
    samples = Film(100).sound[numbers[0] * 640 : (numbers[0] + 64) * 640]
    np.testing.assert_array_equal(seen["audio"][0], filter_bank_example(random_gain(samples, chance)))


def test_the_window_is_looked_at_and_nothing_else():
    class Graded(Film):
        def pictures(self, numbers):
            return np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None], (len(numbers), 64, 64, 3)[:3])[
                ..., None
            ].repeat(3, axis=-1)

    seen = PretrainingView(16, step=1, hears=False, window=Window(8, 32, 24, 24))(Graded(30), np.random.default_rng(0))
    assert seen["video"].min() >= 32
    assert seen["video"].max() < 56
    with pytest.raises(ClipError, match="64 x 64 pixels do not fill the window"):
        PretrainingView(16, step=1, hears=False, window=Window(8, 50, 24, 24))(Graded(30), np.random.default_rng(0))

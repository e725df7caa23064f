"""The sound of chosen frames."""

import numpy as np
import pytest

from toolkit.clip_sound import random_gain, sound_of
from toolkit.errors import ClipError
from toolkit.frame_sampling import Choice, view_frames


def test_the_share_of_the_frames():
    """101 frames over 4 s: one hundredth is 640 samples."""
    samples = np.arange(64000, dtype=np.float32)
    first, last = view_frames(101, 1)
    heard = sound_of(first, 101, samples)
    assert (heard[0], len(heard)) == (0, 16 * 640)
    heard = sound_of(last, 101, samples)
    assert (heard[0], heard[-1]) == (85 * 640, 63999)


def test_a_short_sound_is_heard_whole():
    picture = Choice(np.zeros(16, int), 0, 0)
    assert len(sound_of(picture, 1, np.zeros(40959))) == 40959
    with pytest.raises(ClipError, match="too_short: frames 0 to 0 of 1 hold 0 samples of sound, expected more than 10"):
        sound_of(picture, 1, np.zeros(40960))


def test_what_is_no_segment_any_more():
    two = Choice(np.zeros(16, int), 0, 1)
    assert len(sound_of(two, 11, np.zeros(10250))) == 1025
    assert len(sound_of(two, 11, np.zeros(10240))) == 10240


def test_gain():
    """A beta distribution of parameters 10 and 10 has the mean 1/2 and the variance 1/84."""
    random = np.random.RandomState(0)
    sound = np.full(3, 2, np.float32)
    gains = np.array([random_gain(sound, random) for _ in range(4000)]) / 2
    assert gains.dtype == np.float32
    assert (np.ptp(gains, axis=1) == 0).all()
    assert gains.mean() == pytest.approx(1, abs=0.006)
    assert gains.std() == pytest.approx(84**-0.5, rel=0.04)
    assert 0.5 < gains.min() < gains.max() < 1.5

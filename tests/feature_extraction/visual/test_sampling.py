"""Frames spread evenly, against MERTools' rule written out."""

import numpy as np

from feature_extraction.visual.sampling import uniform_frames


def test_rule():
    for count in [*range(1, 200), 641, 1000, 99991]:
        taken = min(64, count)
        expected = np.floor(np.arange(0, count, count / taken)).astype(int)[:64]
        np.testing.assert_array_equal(uniform_frames(count, 64), expected)
        assert (np.diff(expected) > 0).all()
        assert len(expected) == taken


def test_by_hand():
    assert uniform_frames(7, 3).tolist() == [0, 2, 4]
    assert uniform_frames(2, 3).tolist() == [0, 1]

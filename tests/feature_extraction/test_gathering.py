"""Rows of one clip gathered into features."""

import numpy as np
import pytest

from feature_extraction.gathering import Gathering
from toolkit.status import Status

FIRST, SECOND = np.array([[1, 2], [3, 4]], np.float32), np.array([[8, 0]], np.float32)


@pytest.mark.parametrize("level", ["frame", "utterance"])
def test_mean_over_all_rows(level):
    gathering = Gathering(level)
    gathering.add(FIRST, np.array([0.0, 1.0]))
    gathering.add(SECOND, np.array([2.0]))
    result = gathering.finish()
    assert result.utterance.tolist() == [4.0, 2.0]
    assert result.utterance.dtype == np.float32
    if level == "frame":
        assert result.values.tolist() == [[1, 2], [3, 4], [8, 0]]
        assert result.times.tolist() == [0, 1, 2]
    else:
        assert result.values.shape == (0, 2)


def test_no_rows():
    assert Gathering("frame").finish().status is Status.TOO_SHORT


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite(bad):
    gathering = Gathering("utterance")
    gathering.add(np.array([[1, bad]], np.float32), np.zeros(1))
    assert gathering.finish().status is Status.NOT_FINITE


def test_a_time_for_each_row():
    with pytest.raises(ValueError, match="2 rows of features for 1 times"):
        Gathering("frame").add(FIRST, np.zeros(1))


@pytest.mark.parametrize("level", ["frame", "utterance"])
def test_rows_that_are_no_frames_make_the_vector(level):
    gathering = Gathering(level)
    gathering.summarise(FIRST)
    if level == "frame":
        gathering.add(SECOND, np.array([2.0]))
    result = gathering.finish()
    assert result.utterance.tolist() == [2.0, 3.0]
    assert result.values.tolist() == ([[8, 0]] if level == "frame" else [])


def test_frames_are_wanted_where_the_level_has_them():
    gathering = Gathering("frame")
    gathering.summarise(FIRST)
    assert gathering.finish().status is Status.TOO_SHORT

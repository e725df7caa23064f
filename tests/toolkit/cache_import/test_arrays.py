"""Padded arrays: which frames are real, and arrays that do not fit their names."""

from pathlib import Path

import numpy as np
import pytest

from toolkit.cache_import.arrays import Arrays, Part, without_padding
from toolkit.errors import UserError


def column(*numbers):
    return np.array(numbers, np.float32)[:, None]


def flags(text):
    return np.array([mark == "x" for mark in text])


@pytest.mark.parametrize(
    ("values", "real", "sure", "expected"),
    [
        (column(1, 2, 0, 0), "xx..", True, [1, 2]),  # padded at the end
        (column(1, 0, 0, 0), "xx..", True, [1, 0]),  # a real frame of zeros stays
        (column(0, 0, 1, 2), "xx..", True, [1, 2]),  # padded at the start, counted from there
        (column(0, 0, 0, 2), "xx..", True, [0, 2]),
        (column(1, 2, 9, 9), "xx..", True, [1, 2]),  # padded with noise
        (column(9, 9, 9, 9), "xx..", False, [9, 9, 9, 9]),  # that was said of another array
        (column(0, 8, 9, 0), "xx..", False, [8, 9]),
        (column(0, 0, 0, 0), "....", True, []),
        (column(0, 3, 0, 4, 0), None, True, [3, 0, 4]),
        (column(0, 0), None, True, []),
    ],
)
def test_without_padding(values, real, sure, expected):
    found = without_padding(values, None if real is None else flags(real), sure=sure)
    assert found.ravel().tolist() == expected
    assert found.shape[1:] == (1,)


def test_clips_of_all_parts():
    parts = [Part(["a", "b"], np.array([[1.0], [2.0]])), Part(["c"], np.array([[3.0]]))]
    arrays = Arrays(Path("x.npz"), "npz file", "text", parts)
    assert arrays.level == "utterance"
    assert [arrays.read(name).tolist() for name in "cab"] == [[3.0], [1.0], [2.0]]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Part(["a"], np.array([[1.0], [2.0]])), "has 2 rows for 1 names"),
        (Part(["a", "a"], np.array([[1.0], [2.0]])), "two clips of one name among its 2"),
        (Part(["a"], np.array([1.0])), r"has shape \(1,\) and type float64. Expected numbers, \(clips, D\) or"),
        (Part(["a"], np.array([["x"]])), "type <U1"),
        (Part(["a"], np.array([[None]])), "type object"),
        (Part(["a"], np.ones((1, 3, 2)), np.ones((2, 3), bool)), r"says of \(2, 3\) frames .* 'text' has \(1, 3\)"),
    ],
)
def test_arrays_that_do_not_fit(part, message):
    with pytest.raises(UserError, match=message):
        Arrays(Path("x.npz"), "npz file", "text", [part])

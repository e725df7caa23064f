"""Moving sums of the demo's tracks."""

import numpy as np

from toolkit.demo.smoothing import moving_sum


def test_by_hand():
    assert moving_sum(np.array([1.0, 2, 4, 8]), np.array([0.25, 0.5, 0.25])).tolist() == [2.25, 4.5]
    assert moving_sum(np.array([[1.0, 10], [2, 20], [4, 40]]), np.array([0.5, 0.5])).tolist() == [[1.5, 15], [3, 30]]


def test_the_same_bits_wherever_the_numbers_lie():
    track, window = np.random.default_rng(0).normal(size=200), np.hanning(15)
    expected = moving_sum(track, window)
    np.testing.assert_allclose(expected, np.convolve(track, window, mode="valid"), rtol=1e-12)
    for shift in range(1, 16):
        moved = np.empty(216)[shift : shift + 200]
        moved[:] = track
        assert np.array_equal(moving_sum(moved, window), expected)

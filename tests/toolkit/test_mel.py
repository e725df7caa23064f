"""Mel bands, by hand."""

import numpy as np

from toolkit.mel import mel_bands


def test_bands_by_hand():
    """Two bands up to 700 (e - 1) Hz, which is 1127 mel: edges at 0, 1127/3, 2254/3 and 1127."""
    rate = 2 * 700 * (np.e - 1)
    weights = mel_bands(2, 0.0, rate / 2, rate, 8)
    mels = np.log1p(np.arange(5) * (np.e - 1) / 4)  # of the five bins, in units of 1127
    assert weights.shape == (5, 2)
    first = [0, 2 - 3 * mels[1], 2 - 3 * mels[2] if mels[2] < 2 / 3 else 0, 0, 0]
    np.testing.assert_allclose(weights[:, 0], first, atol=1e-12)
    second = [0, 3 * mels[1] - 1, 3 * mels[2] - 1, 3 - 3 * mels[3], 0]
    np.testing.assert_allclose(weights[:, 1], second, atol=1e-12)


def test_bands_cover_what_is_between_the_outermost_middles():
    """Wherever two triangles overlap, they add up to one."""
    weights = mel_bands(20, 100.0, 8000.0, 16000, 4096)
    sums = weights.sum(axis=1)
    middles = weights.argmax(axis=0)
    np.testing.assert_allclose(sums[middles[0] + 1 : middles[-1]], 1, atol=1e-12)
    assert not sums[:26].any()  # up to 98 Hz

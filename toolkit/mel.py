"""Bands of frequencies as wide as they are heard."""

import numpy as np


def mel_bands(bands: int, lowest: float, highest: float, rate: int, transform: int) -> np.ndarray:
    """Returns weights from a spectrum to mel bands, ``(transform // 2 + 1, bands)`` float64.

    Each band is a triangle of height one, straight on the mel scale, and begins at the middle of the one below. The
    scale is HTK's, ``1127 ln(1 + f / 700)``. Kaldi's filter banks and VGGish's log-mel examples both read these.

    Args:
        bands: how many
        lowest: where the first begins (Hz)
        highest: where the last ends (Hz)
        rate: samples per second (Hz)
        transform: samples that are transformed at once
    """
    frequencies = np.arange(transform // 2 + 1) * rate / transform
    bins, low, high = (1127 * np.log1p(np.asarray(f) / 700) for f in (frequencies, lowest, highest))
    edges = np.linspace(low, high, bands + 2)
    width = edges[1] - edges[0]
    return np.maximum(0, 1 - np.abs(bins[:, None] - edges[1:-1]) / width)

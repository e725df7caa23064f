"""Short-time spectra, mel cepstra and the shape of a spectrum."""

from functools import lru_cache

import numpy as np

from feature_extraction.acoustics.frames import cut_frames

WINDOW = 0.025  # seconds
BANDS = 40  # mel bands
FLOOR = 1e-10  # of power; -100 dB below a full-scale sine's peak bin


def transform_size(rate: int) -> int:
    """Returns the length of the Fourier transform: the window's, rounded up to a power of two; 512 at 16 kHz."""
    return 1 << (round(WINDOW * rate) - 1).bit_length()


def power_spectrum(samples: np.ndarray, rate: int) -> np.ndarray:
    """Returns the power of Hann-windowed frames ``(T, bins)``, a full-scale sine reaching about 1 in its bin.

    Args:
        samples: ``(S,)`` in [-1, 1]
        rate: samples per second (Hz)
    """
    frames = cut_frames(samples, rate, WINDOW)
    window = np.hanning(frames.shape[1] + 1)[:-1]
    return np.abs(np.fft.rfft(frames * (2 / window.sum() * window), transform_size(rate))) ** 2


def bin_frequencies(rate: int) -> np.ndarray:
    """Returns the frequency of each bin ``(bins,)`` in Hz."""
    return np.fft.rfftfreq(transform_size(rate), 1 / rate)


@lru_cache(maxsize=4)
def mel_filters(rate: int, bands: int = BANDS) -> np.ndarray:
    """Returns triangles ``(bands, bins)`` of height one, evenly spaced in mel from 20 Hz to half the rate.

    The scale is ``2595 log10(1 + f / 700)`` (O'Shaughnessy 1987; the one of HTK).
    """
    low, high = (2595 * np.log10(1 + f / 700) for f in (20.0, rate / 2))
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    rising = (bin_frequencies(rate) - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bin_frequencies(rate)) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling))


@lru_cache(maxsize=4)
def cosines(bands: int, count: int) -> np.ndarray:
    """Returns the first rows of the orthonormal discrete cosine transform of type II, ``(count, bands)``."""
    rows = np.cos(np.pi / bands * np.outer(np.arange(count), np.arange(bands) + 0.5)) * np.sqrt(2 / bands)
    rows[0] /= np.sqrt(2)
    return rows


def cepstra(power: np.ndarray, rate: int, count: int = 20) -> np.ndarray:
    """Returns mel-frequency cepstral coefficients (Davis and Mermelstein 1980), ``(T, count)``, of natural logarithms.

    Args:
        power: ``(T, bins)``
        rate: samples per second (Hz)
        count: coefficients kept, the zeroth among them
    """
    bands = np.log(power @ mel_filters(rate).T + FLOOR)
    return bands @ cosines(BANDS, count).T


def deltas(values: np.ndarray, reach: int = 2) -> np.ndarray:
    """Returns the regression slope per frame over ``reach`` frames on both sides, ``(T, D)``; the ends are repeated."""
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    steps = range(1, reach + 1)
    total = sum(k * (padded[reach + k : len(padded) - reach + k] - padded[reach - k : -reach - k]) for k in steps)
    return total / (2 * sum(k * k for k in steps))

"""The shape of a spectrum in a few numbers per frame."""

import itertools

import numpy as np

from feature_extraction.acoustics.spectrum import FLOOR, bin_frequencies

SHAPE = ("centroid", "bandwidth", "rolloff", "flatness", "alpha_ratio", "hammarberg", "tilt", "flux")
CONTRAST_EDGES = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 8000.0)  # Hz; octaves, as Jiang et al. chose them


def spectral_shape(power: np.ndarray, rate: int) -> np.ndarray:
    """Returns the numbers named in ``SHAPE``, ``(T, 8)``.

    Centroid, bandwidth (the standard deviation around it) and rolloff (85 % of the power lies below) in kHz; flatness
    is the logarithm (base 10) of geometric over arithmetic mean. Alpha ratio (power of 1 to 5 kHz over 50 Hz to 1 kHz)
    and Hammarberg index (peak of 0 to 2 kHz over that of 2 to 5 kHz) in dB, after Eyben et al. 2016. Tilt is the slope
    of the power in dB per octave from 100 Hz to 5 kHz. Flux is the distance of the magnitudes of this frame and the
    last, both of length one.

    Args:
        power: ``(T, bins)``
        rate: samples per second (Hz)
    """
    hertz = bin_frequencies(rate)
    power = power + FLOOR
    share = power / power.sum(axis=1, keepdims=True)
    centroid = share @ hertz
    bandwidth = np.sqrt(np.maximum(share @ hertz**2 - centroid**2, 0))
    rolloff = hertz[(np.cumsum(share, axis=1) < 0.85).sum(axis=1).clip(0, len(hertz) - 1)]
    flatness = np.log10(power).mean(axis=1) - np.log10(power.mean(axis=1))

    def band(low: float, high: float) -> np.ndarray:
        return power[:, (hertz >= low) & (hertz < high)]

    alpha = 10 * np.log10(band(1000, 5000).sum(axis=1) / band(50, 1000).sum(axis=1))
    hammarberg = 10 * np.log10(band(0, 2000).max(axis=1) / band(2000, 5000).max(axis=1))
    octaves = np.log2(hertz[(hertz >= 100) & (hertz < 5000)])
    octaves = octaves - octaves.mean()
    tilt = 10 * np.log10(band(100, 5000)) @ octaves / (octaves @ octaves)
    unit = np.sqrt(share)
    flux = np.sqrt(np.square(np.diff(unit, axis=0, prepend=unit[:1])).sum(axis=1))
    return np.stack(
        [centroid / 1000, bandwidth / 1000, rolloff / 1000, flatness, alpha, hammarberg, tilt, flux], axis=1
    )


def spectral_contrast(power: np.ndarray, rate: int, quantile: float = 0.2) -> np.ndarray:
    """Returns peaks over valleys in dB, in each octave band ``(T, 6)`` (Jiang et al. 2002, IEEE ICME).

    Peak and valley are the means of the highest and lowest fifth of a band's bins.

    Args:
        power: ``(T, bins)``
        rate: samples per second (Hz)
        quantile: part of the bins that is peak, and valley
    """
    hertz = bin_frequencies(rate)
    columns = []
    for low, high in itertools.pairwise(CONTRAST_EDGES):
        band = np.sort(power[:, (hertz >= low) & (hertz < high)], axis=1) + FLOOR
        count = max(1, round(quantile * band.shape[1]))
        columns.append(10 * np.log10(band[:, -count:].mean(axis=1) / band[:, :count].mean(axis=1)))
    return np.stack(columns, axis=1)


def zero_crossings(frames: np.ndarray) -> np.ndarray:
    """Returns the part of neighbouring samples ``(T,)`` whose signs differ, of frames ``(T, W)``."""
    negative = np.signbit(frames)
    return (negative[:, 1:] != negative[:, :-1]).mean(axis=1)

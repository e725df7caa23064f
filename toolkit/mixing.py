"""Noise added to speech at an exact signal-to-noise ratio.

The definition is that of the MER-NOISE track's generator (MER2023 ``main-corrupt.py``, MER2024 ``main-noise.py``;
mer_challenges.md, section 2.1): the level of a signal is its root mean square over the whole clip, the noise is scaled
to the level that lies the wanted decibels below the speech, and a sum that leaves the 16-bit range is scaled down as a
whole, which leaves the ratio as it is.
"""

import numpy as np

# Full scale of 16-bit sound on its positive side.
LIMIT = 32767 / 32768


def rms(samples: np.ndarray) -> float:
    """Returns the root mean square of ``samples (S,)``, 0 where there are none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def mix_at_snr(clean: np.ndarray, noise: np.ndarray, snr: float) -> np.ndarray:
    """Adds noise to a clean signal.

    Args:
        clean: ``(S,)`` in [-1, 1]
        noise: ``(S,)``, of any level
        snr: wanted level of the clean signal above the noise, in dB

    Returns:
        ``(S,)`` float32 in [-1, 1]

    Raises:
        ValueError: the lengths differ, or one of the two is silent and so has no ratio to the other
    """
    if clean.shape != noise.shape or clean.ndim != 1:
        raise ValueError(f"clean {clean.shape} and noise {noise.shape} must be two signals of one length")
    speech_level, noise_level = rms(clean), rms(noise)
    if not speech_level or not noise_level:
        raise ValueError("a silent signal has no signal-to-noise ratio")
    gain = speech_level / 10 ** (snr / 20) / noise_level
    mixture = clean.astype(np.float64) + gain * noise.astype(np.float64)
    peak = float(np.abs(mixture).max())
    return (mixture * (LIMIT / peak if peak > LIMIT else 1.0)).astype(np.float32)


def measure_snr(mixture: np.ndarray, clean: np.ndarray, noise: np.ndarray) -> float:
    """Returns the ratio in dB at which two known signals are present in a mixture of both.

    Their shares are found by least squares, so a mixture that was scaled as a whole, or went through a codec, can be
    measured too.

    Args:
        mixture: ``(S,)``
        clean: ``(S,)``
        noise: ``(S,)``, of any level; not a multiple of ``clean``
    """
    parts = np.stack([clean, noise], axis=1).astype(np.float64)
    shares = np.linalg.lstsq(parts, mixture.astype(np.float64), rcond=None)[0]
    return float(20 * np.log10(abs(shares[0]) * rms(clean) / (abs(shares[1]) * rms(noise))))

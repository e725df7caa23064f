"""What sums up the contours of a clip: levels, spreads, slopes and tempo; always finite, zero where nothing is."""

import numpy as np

from feature_extraction.acoustics.frames import HOP

ACTIVE_RANGE = 30.0  # dB below the loudest frame; what lies lower is a pause
LARGEST_STEP = 3.0  # semitones from frame to frame; more is a mistake of the pitch tracker, not a voice

PITCH_FUNCTIONALS = (
    "pitch_p10",
    "pitch_p25",
    "pitch_p50",
    "pitch_p75",
    "pitch_p90",
    "pitch_mean",
    "pitch_std",
    "pitch_range_5_95",
    "pitch_range_20_80",
    "pitch_rise_above_median",  # 95th percentile less the median
    "pitch_fall_below_median",  # the median less the 5th percentile
    "pitch_slope",  # of the whole clip, semitones per second
    "pitch_step_size",  # mean absolute step from one frame to the next, semitones
    "pitch_step_std",
    "pitch_step_p5",
    "pitch_step_p95",
    "pitch_rising",  # part of the steps that rise
    "pitch_rising_step",  # mean rising step
    "pitch_falling_step",  # mean falling step
)
TEMPO_FUNCTIONALS = (
    "energy_peaks",  # per second, a stand-in for syllables
    "voiced_stretches",  # per second
    "voiced_length_mean",  # seconds
    "voiced_length_std",
    "voiced_part",  # of the time from the first active frame to the last
    "active_part",
    "log_seconds",  # natural logarithm of that time
    "energy_rise",  # mean rise of the smoothed energy, dB per frame
    "energy_fall",
    "energy_step_std",
)


def find_active(energy: np.ndarray) -> np.ndarray:
    """Returns which frames ``(T,)`` bool lie within 30 dB of the loudest.

    Args:
        energy: ``(T,)`` dB
    """
    return energy > energy.max() - ACTIVE_RANGE


def pitch_functionals(semitones: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Returns the numbers named in ``PITCH_FUNCTIONALS``, ``(19,)``, all zero without a voiced frame.

    Args:
        semitones: ``(T,)``
        voiced: ``(T,)`` bool
    """
    if not voiced.any():
        return np.zeros(len(PITCH_FUNCTIONALS))
    pitch = semitones[voiced]
    p5, p10, p20, p25, p50, p75, p80, p90, p95 = np.percentile(pitch, [5, 10, 20, 25, 50, 75, 80, 90, 95])
    steps = np.diff(semitones)[voiced[1:] & voiced[:-1]]
    steps = steps[np.abs(steps) < LARGEST_STEP]
    low, high = np.percentile(steps, [5, 95]) if len(steps) else (0.0, 0.0)
    level = (p10, p25, p50, p75, p90, pitch.mean())
    spread = (pitch.std(), p95 - p5, p80 - p20, p95 - p50, p50 - p5)
    slope = _slope(np.flatnonzero(voiced) * HOP, pitch)
    motion = (slope, _mean(np.abs(steps)), _std(steps), low, high, _mean(steps > 0))
    return np.array([*level, *spread, *motion, _mean(steps[steps > 0]), _mean(steps[steps < 0])])


def tempo_functionals(energy: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Returns the numbers named in ``TEMPO_FUNCTIONALS``, ``(10,)``.

    Peaks are those of the energy, smoothed over 90 ms, within 20 dB of the loudest frame.

    Args:
        energy: ``(T,)`` dB
        voiced: ``(T,)`` bool
    """
    first, last = np.flatnonzero(find_active(energy))[[0, -1]]
    spoken = slice(first, last + 1)
    seconds = (last + 1 - first) * HOP
    window = np.hanning(11)[1:-1]
    level = np.pad(np.maximum(energy - energy.max(), -40), 4, mode="edge")
    smooth = np.convolve(level, window / window.sum(), mode="valid")
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > -20)
    edges = np.diff(np.concatenate([[0], voiced, [0]]).astype(int))
    lengths = (np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)) * HOP
    steps = np.diff(smooth[spoken])
    rates = (peaks.sum() / seconds, len(lengths) / seconds, _mean(lengths), _std(lengths))
    parts = (voiced[spoken].mean(), find_active(energy)[spoken].mean(), np.log(seconds))
    return np.array([*rates, *parts, _mean(steps[steps > 0]), _mean(steps[steps < 0]), _std(steps)])


def half_differences(values: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Returns the mean of the second half less that of the first, ``(D,)``, from first to last active frame.

    Args:
        values: ``(T, D)``
        energy: ``(T,)`` dB
    """
    first, last = np.flatnonzero(find_active(energy))[[0, -1]]
    middle = (first + last + 1) // 2
    if middle == first:
        return np.zeros(values.shape[1])
    return values[middle : last + 1].mean(axis=0) - values[first:middle].mean(axis=0)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _std(values: np.ndarray) -> float:
    return float(values.std()) if len(values) else 0.0


def _slope(times: np.ndarray, values: np.ndarray) -> float:
    """Returns the slope of the least-squares line, 0 for a single point."""
    centred = times - times.mean()
    return float(centred @ values / max(centred @ centred, 1e-12))

"""A recording cut into overlapping frames whose middles do not depend on the window's length."""

import numpy as np

HOP = 0.01  # seconds


def frame_count(samples: int, rate: int) -> int:
    """Returns how many whole hops a recording of so many samples has."""
    return samples // round(HOP * rate)


def frame_times(count: int) -> np.ndarray:
    """Returns the middles of the frames ``(T,)`` in seconds: 0.005, 0.015, ..."""
    return (np.arange(count) + 0.5) * HOP


def cut_frames(samples: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Returns frames of ``seconds`` around the middle of every hop, zeros beyond both ends.

    Args:
        samples: ``(S,)``
        rate: samples per second (Hz)
        seconds: length of a frame

    Returns:
        a read-only view ``(T, W)`` of a padded copy
    """
    hop, width = round(HOP * rate), round(seconds * rate)
    count = frame_count(len(samples), rate)
    before = width // 2 - hop // 2
    padded = np.zeros(before + len(samples) + width, samples.dtype)
    padded[max(0, before) : max(0, before) + len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, width)[max(0, -before) :: hop][:count]

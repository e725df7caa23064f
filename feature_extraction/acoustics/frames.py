"""A recording cut into overlapping frames whose middles do not depend on the window's length."""

from collections.abc import Iterator

import numpy as np

HOP = 0.01  # seconds
BLOCK = 1024  # frames worked on at once; autocorrelations of so many are some 70 MB, of ten minutes they would be 4 GB
_BESIDE = 5  # frames on either side that a frame's numbers may depend on: half of a window of 100 ms


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


def cut_blocks(samples: np.ndarray, rate: int) -> Iterator[tuple[np.ndarray, slice]]:
    """Yields a recording, which may be hours long and lie in a file, ``BLOCK`` frames at a time.

    Args:
        samples: ``(S,)``
        rate: samples per second (Hz)

    Yields:
        samples of a stretch, a view, and which of the stretch's frames it is there for; the others, at its ends, lack
        some of what they see
    """
    hop = round(HOP * rate)
    for start in range(0, max(1, frame_count(len(samples), rate)), BLOCK):
        first = max(0, start - _BESIDE)
        stretch = samples[first * hop : (start + BLOCK + _BESIDE) * hop]
        yield stretch, slice(start - first, start - first + BLOCK)

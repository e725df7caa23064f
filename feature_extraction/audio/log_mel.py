"""Log-mel examples: what VGGish listens to."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from toolkit.mel import mel_bands

RATE = 16000  # samples per second (Hz)
WINDOW, HOP = 400, 160  # samples, 25 and 10 ms
TRANSFORM = 512  # samples, the window with zeros behind it
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # mel bands between two frequencies (Hz)
FLOOR = 0.01  # added before the logarithm
FRAMES = 96  # of one example
SPAN = (FRAMES - 1) * HOP + WINDOW  # samples one example hears, 0.975 s

_BLOCK = 2000  # frames computed at once, 20 s; bounds memory, however long the sound


@lru_cache(maxsize=1)
def mel_matrix() -> np.ndarray:
    """Returns the bands ``(257, 64)`` float64 of `toolkit.mel.mel_bands`."""
    return mel_bands(BANDS, LOWEST, HIGHEST, RATE, TRANSFORM)


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Returns logarithms of mel-weighted magnitudes, a row per whole window, ``(T, 64)`` float32.

    Args:
        samples: ``(S,)`` at 16 kHz, full scale 1
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float64), WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    magnitudes = np.abs(np.fft.rfft(windows * hann, TRANSFORM))
    return np.log(magnitudes @ mel_matrix() + FLOOR).astype(np.float32)


def count_examples(samples: int, step: int) -> int:
    """Returns how many whole examples there are, ``step`` frames apart, in so many samples."""
    return max(0, (samples - SPAN) // (step * HOP) + 1)


def cut_examples(samples: np.ndarray, step: int) -> Iterator[np.ndarray]:
    """Yields the examples ``(96, 64)`` float32 of a sound in order; what is left after the last whole one is dropped.

    They are computed in blocks, so that a sound of hours (a memory map, say) needs no more memory than a short one.

    Args:
        samples: ``(S,)`` at 16 kHz, full scale 1
        step: frames from one example to the next
    """
    count = count_examples(len(samples), step)
    at_once = (_BLOCK - FRAMES) // step + 1
    for first in range(0, count, at_once):
        block = min(at_once, count - first)
        start = first * step * HOP
        rows = log_mel(samples[start : start + (block - 1) * step * HOP + SPAN])
        for example in range(block):
            yield rows[example * step : example * step + FRAMES]

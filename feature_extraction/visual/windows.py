"""Windows: which pictures of a clip a video network sees at once, and which of its rows count."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from feature_extraction.visual.sampling import uniform_frames

_COPY_STEP = 1e-6  # seconds between copies of a frame, so that times keep increasing


class Window(NamedTuple):
    """One look at a clip. The network gives a row for each tubelet, a few frames, and after them their mean.

    Attributes:
        frames: ``(F,)`` which of the clip's pictures
        times: ``(t,)`` seconds of the kept rows
        keep: which rows are kept
    """

    frames: np.ndarray
    times: np.ndarray
    keep: slice


def consecutive(times: np.ndarray, *, length: int, tubelet: int) -> Iterator[Window]:
    """Yields windows side by side, whose kept rows represent every picture exactly once.

    Row ``k`` of a clip is of the pictures ``k * tubelet`` to ``(k + 1) * tubelet``. So that rows stay on this grid, the
    last picture is repeated until the last row is full. Where pictures are left that fill no window, the last window
    is moved back by whole rows, and only its new rows are kept; a clip too short for one window goes on repeating
    the last picture, and the rows of nothing but repetitions are dropped. A row's time is the mean of its pictures'
    times, repetitions not counted.

    Args:
        times: ``(T,)`` seconds of the clip's pictures, at least one
        length: pictures of a window, a multiple of ``tubelet``
        tubelet: pictures of a row

    Examples:
        >>> for window in consecutive(np.arange(7.0), length=4, tubelet=2):
        ...     print(window.frames, window.times, window.keep)
        [0 1 2 3] [0.5 2.5] slice(0, 2, None)
        [4 5 6 6] [4.5 6. ] slice(0, 2, None)
    """
    starts = np.arange(0, len(times), tubelet)
    middles = np.add.reduceat(times, starts) / np.diff(starts, append=len(times))
    rows = length // tubelet
    for first in range(0, len(middles), rows):
        start = max(0, min(first, len(middles) - rows))
        stop = min(first + rows, len(middles))
        frames = np.minimum(np.arange(length) + start * tubelet, len(times) - 1)
        yield Window(frames, middles[first:stop], slice(first - start, stop - start))


def uniform(times: np.ndarray, *, length: int, tubelet: int) -> Iterator[Window]:
    """Yields one window of pictures spread evenly over the clip, as MERTools takes them; all of its rows are kept.

    A clip too short for it repeats its last picture. Rows of nothing else follow each other by a microsecond.

    Args:
        times: ``(T,)`` seconds of the clip's pictures, at least one
        length: pictures of the window
        tubelet: pictures of a row
    """
    taken = uniform_frames(len(times), length)
    frames = np.pad(taken, (0, length - len(taken)), mode="edge")
    middles = times[frames].reshape(-1, tubelet).mean(axis=1)
    copies = np.maximum(0, np.arange(len(middles)) - (len(taken) - 1) // tubelet)
    yield Window(frames, middles + _COPY_STEP * copies, slice(0, len(middles)))


def both_ends(times: np.ndarray, *, length: int, tubelet: int, stride: int) -> Iterator[Window]:
    """Yields the first and the last window of every ``stride``-th picture, of each only the mean of its rows.

    These are the views of MERTools' script for VideoMAE of faces; it looks at each twice, which changes nothing. A
    clip of which both are the same, repetitions of the last sampled picture included, gives one.

    Args:
        times: ``(T,)`` seconds of the clip's pictures, at least one
        length: pictures of a window
        tubelet: pictures of a row
        stride: how many pictures further the next one is taken
    """
    sampled = np.arange(0, len(times), stride)
    mean = slice(length // tubelet, length // tubelet + 1)
    for start in sorted({0, max(0, len(sampled) - length)}):
        frames = sampled[start : start + length]
        yield Window(np.pad(frames, (0, length - len(frames)), mode="edge"), times[frames].mean(keepdims=True), mean)

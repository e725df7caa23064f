"""Sampling of frames, evenly over a clip."""

import numpy as np


def uniform_frames(count: int, wanted: int) -> np.ndarray:
    """Returns which frames are taken of a clip: every ``count / wanted``-th, rounded down, none of them twice.

    MERTools' rule (``resample_frames_uniform``), but for clips shorter than ``wanted``, of which it repeats the last
    frame until there are enough; here those come once.

    Args:
        count: frames of the clip, at least one
        wanted: frames taken of a longer clip

    Returns:
        ``(min(count, wanted),)`` increasing

    Examples:
        >>> uniform_frames(10, 4).tolist()
        [0, 2, 5, 7]
    """
    taken = min(count, wanted)
    return np.arange(0, count, count / taken).astype(np.int64)[:taken]

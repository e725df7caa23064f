"""Moving averages that come out the same to the last bit, wherever the numbers lie in memory."""

import numpy as np


def moving_sum(track: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Returns the sum under a window at each place where it fits, as ``np.convolve(..., mode="valid")`` of an even one.

    ``np.convolve`` adds up in an order that depends on the address of the track, so that a demo made again would now
    and then differ in a pixel.

    Args:
        track: ``(length, ...)``
        window: ``(width,)``, the same backwards

    Returns:
        ``(length - width + 1, ...)``
    """
    places = len(track) - len(window) + 1
    total = np.zeros((places, *track.shape[1:]))
    for shift, weight in enumerate(window):
        total += weight * track[shift : shift + places]
    return total

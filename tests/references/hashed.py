"""Weights by a formula, where the vectors hold none: the recipe ``hash`` of the files ``cnn_*.json``."""

import math

import numpy as np

BLOCK = 1 << 20  # numbers at a time, which fit the processor's cache


def noise(number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Returns numbers in [-1, 1], float64, for entry ``number`` of a sorted state dictionary."""
    values = np.empty(math.prod(shape))
    for start in range(0, len(values), BLOCK):
        x = np.arange(start, min(start + BLOCK, len(values)), dtype=np.uint32) * np.uint32(2654435761)
        x += np.uint32((number * 40503 + 12345) % 2**32)
        for shift, factor in ((15, 2246822519), (13, 3266489917), (16, 1)):
            x ^= x >> np.uint32(shift)
            x *= np.uint32(factor)
        values[start : start + len(x)] = x / 2**31 - 1
    return values.reshape(shape)

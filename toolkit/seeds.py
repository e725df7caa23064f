"""Random numbers that depend on a seed and on what they are for, not on order, subset or number of workers."""

import hashlib

import numpy as np


def generator_for(seed: int, *purpose: str) -> np.random.Generator:
    """Returns the random generator of one purpose.

    Args:
        seed: the run's seed
        purpose: words that tell this generator from every other, a clip's name say; must not hold a NUL
    """
    key = "\0".join([str(seed), *purpose])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big"))

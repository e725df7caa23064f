"""The one augmentation of pretraining: a window of random size at one of thirteen places."""

from itertools import product

import numpy as np

SCALES = (1.0, 0.875, 0.75, 0.66)  # of the shorter side
# Where the window lies in quarters of the room it has, across and down: corners, middle, middles of the sides, and
# halfway between the middle and the corners.
PLACES = ((0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3))
_CLOSE = 3  # pixels; a length that differs by less from the length wanted is that, so that nothing is resized


def multi_scale_crop(pictures: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
    """Cuts the same random window out of all pictures and makes it a square, ``(n, size, size, 3)`` uint8.

    ``GroupMultiScaleCrop`` of Wang et al. 2016 (Temporal Segment Networks), as VideoMAE and its children use it: width
    and height are drawn together from pairs of neighbouring scales.

    Args:
        pictures: ``(n, H, W, 3)`` uint8
        size: height and width of the result in pixels
        chance: drawn from twice
    """
    from PIL import Image

    height, width = pictures.shape[1:3]
    lengths = [int(min(height, width) * scale) for scale in SCALES]
    lengths = [size if abs(length - size) < _CLOSE else length for length in lengths]
    pairs = [pair for pair in product(range(len(SCALES)), repeat=2) if abs(pair[0] - pair[1]) <= 1]
    down, across = pairs[chance.integers(len(pairs))]
    # A length rounded up to the one wanted may be longer than a side.
    tall, wide = min(lengths[down], height), min(lengths[across], width)
    right, below = PLACES[chance.integers(len(PLACES))]
    left, top = right * ((width - wide) // 4), below * ((height - tall) // 4)
    window = pictures[:, top : top + tall, left : left + wide]
    if (tall, wide) == (size, size):
        return window
    resized = np.empty((len(window), size, size, 3), np.uint8)
    for number, picture in enumerate(window):
        resized[number] = Image.fromarray(picture).resize((size, size), Image.Resampling.BILINEAR)
    return resized

"""Blur of a picture, as the MER-NOISE track has it."""

import numpy as np


def is_blur_factor(factor: int) -> bool:
    """Says whether a factor is 1, 2, 4, 8 and so on."""
    return factor >= 1 and factor & (factor - 1) == 0


def blur(image: np.ndarray, factor: int) -> np.ndarray:
    """Takes the detail out of an image by shrinking and enlarging it on the Gaussian pyramid.

    ``log2(factor)`` times half the size, then back (MER2023 ``main-corrupt.py``; mer_challenges.md, section 2.1).
    Every step back goes to the very size its counterpart came from, so that odd sizes stay what they are.

    Args:
        image: ``(H, W, 3)`` uint8
        factor: 1 (nothing happens), 2, 4, 8 ...

    Returns:
        ``(H, W, 3)`` uint8

    Raises:
        ValueError: the factor is no power of two
    """
    if not is_blur_factor(factor):
        raise ValueError(f"blur factor {factor} is not 1, 2, 4, 8 ...")
    if factor == 1:
        return image
    import cv2

    sizes = []
    for _ in range(factor.bit_length() - 1):
        sizes.append((image.shape[1], image.shape[0]))
        image = cv2.pyrDown(image)
    for size in reversed(sizes):
        image = cv2.pyrUp(image, dstsize=size)
    return image

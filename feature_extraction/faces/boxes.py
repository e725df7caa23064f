"""Arithmetic of face boxes; a box is ``x1 y1 x2 y2`` in pixels, and all functions take and give ``(N, 4)`` float32."""

import numpy as np

ROWS = 256  # of the overlap matrix held at once


def area(boxes: np.ndarray) -> np.ndarray:
    """Returns the areas ``(N,)`` in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def intersection(first: np.ndarray, second: np.ndarray, *, margin: float = 0.0) -> np.ndarray:
    """Returns the common areas ``(N, M)``; ``margin`` is 1 where the last pixel counts as inside."""
    width = np.minimum(first[:, None, 2], second[None, :, 2]) - np.maximum(first[:, None, 0], second[None, :, 0])
    height = np.minimum(first[:, None, 3], second[None, :, 3]) - np.maximum(first[:, None, 1], second[None, :, 1])
    return np.maximum(width + margin, 0) * np.maximum(height + margin, 0)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns intersection over union ``(N, M)``."""
    common = intersection(first, second)
    return common / (area(first)[:, None] + area(second)[None, :] - common)


def contained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns intersection over the smaller area ``(N, M)``, the last pixel counted as inside."""
    common = intersection(first, second, margin=1)
    sizes = [(b[:, 2] - b[:, 0] + 1) * (b[:, 3] - b[:, 1] + 1) for b in (first, second)]
    return common / np.minimum(sizes[0][:, None], sizes[1][None, :])


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, *, smaller: bool = False) -> np.ndarray:
    """Non-maximum suppression: keeps the best box and drops all that overlap it more than ``threshold``, repeatedly.

    Args:
        boxes: ``(N, 4)``
        scores: ``(N,)``
        threshold: largest overlap two kept boxes may have
        smaller: overlap is measured against the smaller box instead of the union

    Returns:
        indices of the kept boxes, best first
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes[order]
    measure = contained if smaller else overlap
    alive = np.ones(len(boxes), dtype=bool)
    for start in range(0, len(boxes), ROWS):
        too_close = measure(boxes[start : start + ROWS], boxes) > threshold
        for row, close in enumerate(too_close, start=start):
            if alive[row]:
                alive[row + 1 :] &= ~close[row + 1 :]
    return order[alive]


def squared(boxes: np.ndarray) -> np.ndarray:
    """Returns boxes of the same centre whose sides are both the longer one."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    length = np.maximum(width, height)
    left = boxes[:, 0] + width * 0.5 - length * 0.5
    top = boxes[:, 1] + height * 0.5 - length * 0.5
    return np.stack([left, top, left + length, top + length], axis=1)


def shifted(boxes: np.ndarray, offsets: np.ndarray, *, margin: float = 0.0) -> np.ndarray:
    """Returns boxes whose four edges are moved by fractions of width and height.

    Args:
        boxes: ``(N, 4)``
        offsets: ``(N, 4)`` in units of the box's width (x) and height (y)
        margin: 1 where the last pixel counts as inside
    """
    width, height = boxes[:, 2] - boxes[:, 0] + margin, boxes[:, 3] - boxes[:, 1] + margin
    return boxes + offsets * np.stack([width, height, width, height], axis=1)

"""Aligned face crops: the five points are moved onto five fixed places, and the picture with them."""

import numpy as np

# Eyes, nose tip and mouth corners in a 112 x 112 crop, x y in pixels: the five-point template of ArcFace (Deng, Guo,
# Xue and Zafeiriou, CVPR 2019), as published in the insightface repository.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE_SIZE = 112


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Returns the rotation, scale and shift that bring one set of points closest to another in least squares.

    In complex numbers such a map is ``target ~ factor * source + shift``, and so linear regression. It is the solution
    of Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns", IEEE TPAMI 13(4),
    1991, for two dimensions; a mirror image is never given.

    Args:
        source: points ``(N, 2)`` that do not all coincide
        target: points ``(N, 2)``

    Returns:
        matrix ``(2, 3)`` float64: ``target ~ source @ matrix[:, :2].T + matrix[:, 2]``

    Raises:
        ValueError: the source points coincide
    """
    source, target = _complex(source), _complex(target)
    centred = source - source.mean()
    variance = np.vdot(centred, centred).real
    if variance == 0:
        raise ValueError("the source points coincide, so that no scale can be told")
    factor = np.vdot(centred, target) / variance
    shift = target.mean() - factor * source.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def _complex(points: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(points, dtype=np.float64).view(np.complex128)[:, 0]


def template(size: int) -> np.ndarray:
    """Returns the places ``(5, 2)`` of the five points in a crop of ``size`` pixels."""
    return (TEMPLATE + 0.5) * (size / TEMPLATE_SIZE) - 0.5  # pixel centres lie at whole numbers


def align(image: np.ndarray, points: np.ndarray, size: int) -> np.ndarray:
    """Returns the aligned crop of one face.

    A face more than twice as large as in the crop is first shrunk by a whole factor with area averaging, because
    bilinear sampling alone would skip pixels. What lies beyond the picture is black.

    Args:
        image: ``(H, W, 3)`` uint8
        points: ``(5, 2)`` eyes, nose tip, mouth corners in pixels
        size: height and width of the crop in pixels

    Returns:
        ``(size, size, 3)`` uint8
    """
    import cv2

    points = np.asarray(points, dtype=np.float64)
    matrix = similarity(points, template(size))
    factor = int(1 / np.hypot(matrix[0, 0], matrix[1, 0]) + 1e-9)  # a whole factor is one in spite of rounding
    if factor >= 2:
        image, corner = _region(image, matrix, size, factor)
        shrunk = (image.shape[1] // factor, image.shape[0] // factor)
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
        matrix = similarity((points - corner + 0.5) / factor - 0.5, template(size))
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)


def _region(image: np.ndarray, matrix: np.ndarray, size: int, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the part of the picture that the crop shows, its sides a multiple of ``factor``, and its corner x y."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], dtype=np.float64)
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(seen.min(axis=0)).astype(int) - factor, 0, [width - factor, height - factor])
    right, bottom = np.clip(np.ceil(seen.max(axis=0)).astype(int) + factor, [left + factor, top + factor], None)
    right, bottom = min(right, width), min(bottom, height)
    right, bottom = right - (right - left) % factor, bottom - (bottom - top) % factor
    return image[top:bottom, left:right], np.array([left, top], dtype=np.float64)

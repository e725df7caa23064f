"""The part of a head that does not move by itself: a height field under a lamp, painted in skin colours."""

from typing import NamedTuple

import cv2
import numpy as np

from toolkit.demo.speakers import Look

SIZE = 480  # height and width of the head's canvas in pixels; twice the size it has in the clip
CENTRE = (240.0, 258.0)  # of the face on the canvas
WIDTH, TOP, CHIN = 112.0, 158.0, 152.0  # half width of the average face, its height above and below the centre
EYE_X, EYE_Y, BROW_Y, NOSE_Y, MOUTH_Y = 48.0, -6.0, -44.0, 46.0, 88.0  # of the parts, from the centre


class Grid(NamedTuple):
    """Pixel coordinates of the canvas from the face's centre, ``(SIZE, SIZE)`` each."""

    x: np.ndarray
    y: np.ndarray


def make_grid() -> Grid:
    """Returns the canvas' coordinates."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    return Grid(x - CENTRE[0], y - CENTRE[1])


def half_width(y: np.ndarray, look: Look) -> np.ndarray:
    """Returns half the width of the face at heights ``y`` from its centre; 0 above the skull and below the chin."""
    up = np.clip(1 - np.abs(y / TOP) ** 2.3, 0, 1) ** (1 / 2.3)
    power = 1.75 + 0.9 * look.jaw
    down = np.clip(1 - np.clip(y / (CHIN * look.length), 0, None) ** power, 0, 1) ** (1 / (2.1 + 0.5 * look.jaw))
    return WIDTH * look.width * np.where(y < 0, up, down)


def outline(look: Look, *, grow: float = 1.0) -> np.ndarray:
    """Returns the face's outline ``(points, 2)`` in canvas pixels, grown by a factor around the centre."""
    y = np.concatenate([[-TOP], TOP * np.sin(np.linspace(-1.5, 0, 40)), CHIN * look.length * np.linspace(0.02, 1, 60)])
    x = half_width(y, look)
    points = np.concatenate([np.stack([x, y], 1), np.stack([-x, y], 1)[::-1]])
    return points * grow + CENTRE


def fill(shape: np.ndarray, *, soft: float = 0.0) -> np.ndarray:
    """Returns the mask ``(SIZE, SIZE)`` float32 in [0, 1] of a polygon ``(points, 2)``, blurred by ``soft`` pixels."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [np.round(shape * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32) / 255
    return cv2.GaussianBlur(mask, (0, 0), soft) if soft else mask


def bump(grid: Grid, x: float, y: float, wide: float, high: float) -> np.ndarray:
    """Returns a Gaussian hill of height 1 at ``(x, y)``, with its standard deviations in pixels."""
    return np.exp(-0.5 * ((grid.x - x) / wide) ** 2 - 0.5 * ((grid.y - y) / high) ** 2)


def _height(grid: Grid, look: Look) -> np.ndarray:
    """Returns the face's height field in pixels towards the viewer."""
    wide = np.maximum(half_width(grid.y, look), 1.0)
    high = np.where(grid.y < 0, TOP, CHIN * look.length)
    round_ = np.clip(1 - np.abs(grid.x / wide) ** 2.4, 0, 1) * np.clip(1 - np.abs(grid.y / high) ** 3, 0, 1)
    z = 105 * np.sqrt(round_ + 1e-3)
    eye = EYE_X * look.apart
    for side in (-1, 1):
        z -= 13 * bump(grid, side * eye, EYE_Y - 2, 27, 17)
        z += 7 * bump(grid, side * eye * 1.05, BROW_Y, 26, 9)
        z += 8 * bump(grid, side * 62, 38, 24, 20)
        z += 8 * look.nose * bump(grid, side * 15 * look.nose, NOSE_Y, 8, 7)
    ridge = np.clip((grid.y + 34) / (NOSE_Y + 34), 0, 1) * (grid.y < NOSE_Y + 9)
    z += 24 * look.nose * cv2.GaussianBlur(ridge * np.exp(-0.5 * (grid.x / (10 + 4 * look.nose)) ** 2), (0, 0), 3)
    z += 12 * look.nose * bump(grid, 0, NOSE_Y - 3, 14 * look.nose, 11)
    z += 8 * bump(grid, 0, MOUTH_Y, 34, 22) + 8 * bump(grid, 0, 128 * look.length, 22, 14)
    return z.astype(np.float32)


def _slopes(z: np.ndarray) -> np.ndarray:
    """Returns the slopes ``(2, SIZE, SIZE)`` of a height field to the right and down."""
    z = cv2.GaussianBlur(z, (0, 0), 2.2)
    return np.stack([cv2.Sobel(z, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))])


def shine(slopes: np.ndarray, lamp: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Returns diffuse and glossy light on a face (Lambert, Blinn-Phong).

    Args:
        slopes: of its height field ``(2, SIZE, SIZE)``
        lamp: direction to the lamp: right, down, towards the viewer

    Returns:
        two times ``(SIZE, SIZE)`` in [0, 1]
    """
    towards = np.array(lamp, np.float32) / np.float32(np.linalg.norm(lamp))
    half = towards + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    length = np.sqrt(slopes[0] ** 2 + slopes[1] ** 2 + 1)
    diffuse = (towards[2] - slopes[0] * towards[0] - slopes[1] * towards[1]) / length
    glossy = np.clip((half[2] - slopes[0] * half[0] - slopes[1] * half[1]) / length, 0, 1)
    return np.clip(diffuse, 0, 1), glossy**32


def _tint(image: np.ndarray, amount: np.ndarray, colour: tuple[float, float, float]) -> None:
    """Mixes a colour into an image in place, by an amount ``(SIZE, SIZE)`` in [0, 1]."""
    image += amount[..., None] * (np.array(colour, np.float32) - image)


class Skin(NamedTuple):
    """A face and its ears without eyes, brows, mouth and hair.

    Attributes:
        colour: ``(SIZE, SIZE, 3)`` float32 RGB in [0, 255] under white light
        slopes: ``(2, SIZE, SIZE)`` of its height field
        opacity: ``(SIZE, SIZE)`` in [0, 1]
        face: ``(SIZE, SIZE)`` in [0, 1], 1 where it is lit as the height field says; the ears are not
    """

    colour: np.ndarray
    slopes: np.ndarray
    opacity: np.ndarray
    face: np.ndarray


def paint_skin(grid: Grid, look: Look) -> Skin:
    """Paints the skin of a head."""
    skin = np.array(look.skin, np.float32)
    warm = tuple(float(c) for c in skin * (0.96, 0.66, 0.62))
    image = np.broadcast_to(skin, (SIZE, SIZE, 3)).copy()
    for side in (-1, 1):
        _tint(image, 0.32 * bump(grid, side * 64, 40, 24, 17), warm)
        _tint(image, 0.25 * bump(grid, side * EYE_X * look.apart, EYE_Y - 4, 30, 16), tuple(skin * 0.72))
    _tint(image, 0.3 * bump(grid, 0, NOSE_Y, 16, 10), warm)
    if look.beard:
        jaw = np.clip((grid.y - 52) / 22, 0, 1) * (1 - bump(grid, 0, MOUTH_Y, 26, 11))
        _tint(image, 0.55 * look.beard * jaw, tuple(0.5 * skin + 0.5 * np.array(look.hair, np.float32)))
    for side in (-1, 1):
        nostril = bump(grid, side * 9 * look.nose, NOSE_Y + 13, 5.5, 2.6)
        _tint(image, 0.75 * np.clip(nostril * 1.3, 0, 1), tuple(skin * 0.3))
    mask = fill(outline(look))
    ears = _ears(grid, look)
    shade = 0.62 + 0.25 * np.clip((ears - 0.4) / 0.6, 0, 1)
    ear = skin * shade[..., None] * (0.97, 0.86, 0.82)
    image = (ear + mask[..., None] * (image - ear)).astype(np.float32)
    opacity = np.maximum(mask, np.clip(ears * 6 - 2.4, 0, 1))
    return Skin(image, _slopes(_height(grid, look)), opacity, mask)


def _ears(grid: Grid, look: Look) -> np.ndarray:
    wide = WIDTH * look.width
    return np.maximum(bump(grid, -wide - 2, 8, 15, 27), bump(grid, wide + 2, 8, 15, 27))

"""Hair: a mask behind the head, a mask before it, and strands with a shine between them."""

from typing import NamedTuple

import cv2
import numpy as np

from toolkit.demo.head import CENTRE, SIZE, TOP, WIDTH, Grid, bump, fill, outline
from toolkit.demo.speakers import HairStyle, Look

# Height of the hairline from the face's centre, at the left temple, the left, the middle, the right, the right temple.
HAIRLINES: dict[HairStyle, tuple[float, ...]] = {
    "short": (-40, -98, -108, -98, -40),
    "side": (-30, -112, -100, -70, -18),
    "bob": (20, -70, -76, -70, 20),
    "long": (10, -66, -112, -66, 10),
    "bun": (-36, -96, -116, -96, -36),
    "curly": (-20, -84, -92, -84, -20),
}
# How far hair hangs behind the head, from the face's centre; None where none is seen.
HANGING: dict[HairStyle, float | None] = {
    "short": None, "side": None, "bob": 122.0, "long": 230.0, "bun": None, "curly": None, "bald": None,
}  # fmt: skip


def _streaks(place: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns smooth noise of unit variance ``(SIZE, SIZE)`` that depends on ``place`` in [0, 1] alone."""
    noise = cv2.GaussianBlur(generator.normal(0, 1, (1, 720)).astype(np.float32), (0, 0), 1.6)
    noise /= noise.std()
    column = np.clip(place * 719, 0, 719).astype(np.float32)
    return cv2.remap(noise, column, np.zeros_like(column), cv2.INTER_LINEAR)


def _strands(grid: Grid, look: Look, generator: np.random.Generator) -> np.ndarray:
    """Returns the hair's colours ``(SIZE, SIZE, 3)``: strands run away from the crown, a band of shine crosses them."""
    angle = np.arctan2(grid.x, -(grid.y + 20))
    radius = np.hypot(grid.x / WIDTH, (grid.y + 10) / TOP)
    shine = np.exp(-0.5 * ((radius - 0.92) / 0.09) ** 2) * np.clip(np.cos(angle + 0.5), 0, 1)
    shade = 0.86 + 0.12 * _streaks((angle + np.pi) / (2 * np.pi), generator) + 0.4 * shine
    colour = np.array(look.hair, np.float32) * shade[..., None] + 24 * shine[..., None]
    return np.clip(colour, 0, 255).astype(np.float32)


def _hanging_strands(grid: Grid, look: Look, generator: np.random.Generator) -> np.ndarray:
    """Returns the colours ``(SIZE, SIZE, 3)`` of the hair behind the head, in its shadow and hanging straight."""
    place = grid.x / SIZE + 0.5 + 0.01 * np.sin(grid.y / 40)
    shade = 0.66 + 0.1 * _streaks(place, generator) - 0.16 * np.exp(-((grid.x / 80) ** 2))
    return np.array(look.hair, np.float32) * shade[..., None]


def _front(grid: Grid, look: Look) -> np.ndarray:
    """Returns the mask of the hair before the head."""
    if look.style == "bald":
        temples = np.maximum(*(bump(grid, side * WIDTH * look.width, -34, 11, 34) for side in (-1, 1)))
        return np.clip(5 * temples - 2, 0, 1)
    line = HAIRLINES[look.style]
    wide = WIDTH * look.width
    x = np.linspace(-1, 1, 61)
    y = np.interp(x, np.array([-1, -0.55, 0.0, 0.55, 1]), line)
    y = cv2.GaussianBlur(y.astype(np.float32)[:, None], (0, 0), 3).ravel()
    hairline = np.stack([x * wide * 1.02, y], 1) + CENTRE
    skull = outline(look, grow=1.09)
    above = skull[skull[:, 1] < CENTRE[1] + line[0]]
    right, left = above[above[:, 0] >= CENTRE[0]], above[above[:, 0] < CENTRE[0]]
    right, left = right[np.argsort(-right[:, 1])], left[np.argsort(left[:, 1])]  # up the right, down the left
    return fill(np.concatenate([hairline, right, left]), soft=1.6)


def _lumps(look: Look, generator: np.random.Generator) -> np.ndarray:
    """Returns the mask of curls around the head."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for angle in np.linspace(-2.0, 2.0, 23):
        centre = np.array([np.sin(angle) * WIDTH * look.width * 1.08, -np.cos(angle) * TOP * 0.98 + 4]) + CENTRE
        radius = int(generator.integers(24, 31))
        cv2.circle(mask, tuple(int(c * 8) for c in centre), radius * 8, 255, -1, cv2.LINE_AA, 3)
    return mask.astype(np.float32) / 255


def _back(grid: Grid, look: Look, generator: np.random.Generator) -> np.ndarray:
    """Returns the mask of the hair behind the head."""
    hang = HANGING[look.style]
    if look.style == "curly":
        return _lumps(look, generator)
    if look.style == "bun":
        return np.clip(4 * (1 - np.hypot(grid.x, grid.y + TOP + 22) / 46), 0, 1)
    if hang is None:
        return np.zeros((SIZE, SIZE), np.float32)
    t = np.linspace(0, 1, 60)
    x = WIDTH * look.width * (0.94 + 0.29 * np.sin(2.3 * t**0.6)) * np.clip((1.003 - t) * 14, 0, 1) ** 0.4
    y = -TOP * 0.55 + (hang + TOP * 0.55) * t
    sides = np.concatenate([np.stack([x, y], 1), np.stack([-x, y], 1)[::-1]]) + CENTRE
    neck = np.clip((58 * look.width - np.abs(grid.x)) / 6, 0, 1) * np.clip((grid.y - 60) / 6, 0, 1)
    return fill(sides, soft=1.0) * (1 - neck)  # the neck shows through: it belongs to the body behind


class Hair(NamedTuple):
    """Hair as layers around a face: ``behind`` it, ``shadow`` on it and ``front`` before it.

    Attributes:
        colour: ``(SIZE, SIZE, 3)`` float32 RGB in [0, 255] of the hair before the face
        back_colour: the same behind the face
        front: ``(SIZE, SIZE)`` in [0, 1]
        back: ``(SIZE, SIZE)`` in [0, 1]
        shadow: ``(SIZE, SIZE)`` in [0, 1]
    """

    colour: np.ndarray
    back_colour: np.ndarray
    front: np.ndarray
    back: np.ndarray
    shadow: np.ndarray


def paint_hair(grid: Grid, look: Look, generator: np.random.Generator) -> Hair:
    """Paints the hair of a head.

    Args:
        grid: the canvas' coordinates
        look: whose hair
        generator: draws the strands
    """
    strands = _strands(grid, look, generator)
    back, front = _back(grid, look, generator), _front(grid, look)
    if look.style == "curly":
        front = np.maximum(front, back * (np.hypot(grid.x / WIDTH, grid.y / TOP) > 0.86) * (grid.y < -60))
    behind = strands * 0.7 if look.style in ("curly", "bun") else _hanging_strands(grid, look, generator)
    shadow = np.clip(cv2.GaussianBlur(front, (0, 0), 7) - front, 0, 1)
    return Hair(strands, behind, front, back, shadow)

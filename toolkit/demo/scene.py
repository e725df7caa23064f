"""What is behind a head: a room, and the speaker's neck and shoulders."""

import cv2
import numpy as np

from toolkit.demo.speakers import Colour, Look

WIDTH, HEIGHT = 320, 240  # of the clips, in pixels
_ROUGH = 2  # everything is drawn this much larger and shrunk once


def draw_room(wall: Colour, generator: np.random.Generator) -> np.ndarray:
    """Returns a room out of focus ``(HEIGHT, WIDTH, 3)`` uint8 RGB: a wall, something hanging on it, a shelf."""
    room = np.full((HEIGHT * _ROUGH, WIDTH * _ROUGH, 3), wall, np.uint8)
    _furnish(room, generator)
    return _illuminate(cv2.GaussianBlur(_shrink(room), (0, 0), 3.5), generator)


def draw_empty_scene(generator: np.random.Generator) -> np.ndarray:
    """Returns a still life without anybody ``(HEIGHT, WIDTH, 3)`` uint8 RGB: a wall, a table, a vase with leaves."""
    room = cv2.resize(draw_room((182, 190, 186), generator), (WIDTH * _ROUGH, HEIGHT * _ROUGH))
    cv2.rectangle(room, (0, 380), (640, 480), (138, 100, 70), -1)
    cv2.rectangle(room, (0, 380), (640, 390), (164, 122, 88), -1)
    for _ in range(14):
        tip = (int(generator.uniform(180, 460)), int(generator.uniform(60, 220)))
        bend = int(generator.uniform(-40, 40))
        stem = np.array([[320, 300], [(320 + tip[0]) // 2 + bend, 230], tip])
        cv2.polylines(room, [stem], False, (70, 110, 64), 5, cv2.LINE_AA)
        tilt = float(np.degrees(np.arctan2(tip[1] - 300, tip[0] - 320)))
        cv2.ellipse(room, tip, (34, 11), tilt, 0, 360, (84, 138, 76), -1, cv2.LINE_AA)
    vase = np.array([[285, 290], [355, 290], [378, 350], [352, 420], [288, 420], [262, 350]])
    cv2.fillPoly(room, [vase], (176, 112, 84), cv2.LINE_AA)
    cv2.fillPoly(room, [vase[[0, 5, 4]]], (200, 140, 110), cv2.LINE_AA)
    return _shrink(room)


def draw_body(room: np.ndarray, look: Look, place: tuple[float, float], scale: float) -> np.ndarray:
    """Returns the room with the speaker's neck and shoulders in it.

    Args:
        room: ``(HEIGHT, WIDTH, 3)`` uint8 RGB
        look: whose body
        place: the face's centre in pixels of the clip
        scale: pixels of the clip per pixel of the head's canvas
    """
    size = (WIDTH * _ROUGH, HEIGHT * _ROUGH)
    image = cv2.resize(room, size, interpolation=cv2.INTER_LINEAR)
    unit = scale * _ROUGH
    x, y = place[0] * _ROUGH, place[1] * _ROUGH
    skin, shirt = np.array(look.skin, float), np.array(look.shirt, float)

    def polygon(points: list[tuple[float, float]], colour: np.ndarray) -> None:
        spots = np.array([[x + px * unit, y + py * unit] for px, py in points])
        cv2.fillPoly(image, [np.round(spots * 16).astype(np.int32)], tuple(colour.tolist()), cv2.LINE_AA, 4)

    def shoulders(grow: float) -> list[tuple[float, float]]:
        t = np.linspace(-1, 1, 61)
        return [(float(a * 260 * grow), float(190 + 105 * abs(a) ** 2.6 - 14 * (1 - abs(a)))) for a in t]

    polygon([*shoulders(1.0), (270, 600), (-270, 600)], shirt * 0.62)
    polygon([*[(px - 10, py + 12) for px, py in shoulders(0.93)], (225, 600), (-245, 600)], shirt * 0.8)
    polygon([*[(px - 26, py + 26) for px, py in shoulders(0.7)], (140, 600), (-190, 600)], shirt * 0.88)
    neck = 52 * look.width
    polygon([(-neck, 60), (neck, 60), (neck + 6, 196), (0, 244), (-neck - 6, 196)], skin * 0.72)
    polygon([(-neck, 60), (neck * 0.2, 60), (neck * 0.1, 200), (-10, 236), (-neck - 6, 196)], skin * 0.8)
    polygon([(-neck, 60), (neck, 60), (neck, 150), (0, 176), (-neck, 140)], skin * 0.56)
    collar = shirt * 0.98
    polygon([(-neck - 14, 176), (-neck - 4, 190), (0, 246), (-26, 268), (-neck - 24, 200)], collar)
    polygon([(neck + 14, 176), (neck + 4, 190), (0, 246), (26, 268), (neck + 24, 200)], collar * 0.86)
    return _shrink(image)


def _illuminate(room: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a room ``(HEIGHT, WIDTH, 3)`` with a lamp's light falling off from somewhere left of the middle."""
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32) - np.float32(generator.uniform(-0.8, 0.2))
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)
    light = 1.06 - 0.17 * (x[None] ** 2 + 0.5 * y[:, None] ** 2)
    return np.clip(room * light[..., None], 0, 255).astype(np.uint8)


def _furnish(room: np.ndarray, generator: np.random.Generator) -> None:
    """Hangs a picture or a window and puts a shelf, at the sides, in place."""
    side = int(generator.integers(2))
    left = int(generator.uniform(-40, 40)) + side * 490
    top = int(generator.uniform(20, 90))
    glass = generator.uniform(0.75, 1.2) * np.array((196, 208, 214))
    cv2.rectangle(room, (left - 8, top - 8), (left + 148, top + 188), (96, 74, 56), -1)
    cv2.rectangle(room, (left, top), (left + 140, top + 180), tuple(np.clip(glass, 0, 255).tolist()), -1)
    shelf = int(generator.uniform(200, 300))
    start = (1 - side) * 500
    cv2.rectangle(room, (start - 20, shelf), (start + 170, shelf + 12), (110, 84, 62), -1)
    at = start
    while at < start + 140:
        wide, high = int(generator.uniform(14, 30)), int(generator.uniform(50, 100))
        book = tuple(generator.uniform(50, 190, 3).tolist())
        cv2.rectangle(room, (at, shelf - high), (at + wide, shelf), book, -1)
        at += wide + 2


def _shrink(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)

"""A talking face: one drawing per frame of a clip."""

import functools
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from toolkit.demo.expressions import add, fade
from toolkit.demo.features import Expression, draw_features
from toolkit.demo.hair import paint_hair
from toolkit.demo.head import CENTRE, SIZE, fill, make_grid, outline, paint_skin, shine
from toolkit.demo.scene import HEIGHT, WIDTH, draw_body, draw_empty_scene, draw_room
from toolkit.demo.smoothing import moving_sum
from toolkit.demo.speakers import Look

FRAME_RATE = 12  # Hz
_SCALE = 0.5  # pixels of the clip per pixel of the head's canvas


class Talk(NamedTuple):
    """What the mouth does, one value per frame.

    Attributes:
        opening: ``(T,)`` 0 shut to 1 wide open
        rounding: ``(T,)`` 0 spread to 1 pursed
    """

    opening: np.ndarray
    rounding: np.ndarray


class _Bust(NamedTuple):
    """A head before the lamp is put up: lit, it is ``colour * diffuse + gloss * glossy + rest``."""

    colour: np.ndarray  # (SIZE, SIZE, 3) float32
    gloss: np.ndarray  # (SIZE, SIZE, 1) float32
    rest: np.ndarray  # (SIZE, SIZE, 3) float32, what the lamp does not change
    slopes: np.ndarray  # (2, SIZE, SIZE) float32
    opacity: np.ndarray  # (SIZE, SIZE) uint8
    warm: np.ndarray  # (SIZE, SIZE) float32


class _Head(NamedTuple):
    skin: np.ndarray  # (SIZE, SIZE, 3) uint8, premultiplied with its opacity
    opacity: np.ndarray  # (SIZE, SIZE) uint8
    warm: np.ndarray  # (SIZE, SIZE) uint8, where blood shows


def draw_face(
    look: Look, face: Expression, habit: Expression, talk: Talk, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yields the frames of a clip, ``(HEIGHT, WIDTH, 3)`` uint8 RGB.

    Args:
        look: whose face
        face: what it expresses
        habit: how it rests
        talk: what the mouth does, which also sets the number of frames
        generator: draws lamp, place, blinks and movements of the head
    """
    head = _light(_sculpt(look), generator)
    scale = _SCALE * generator.uniform(0.92, 1.06)
    place = (WIDTH / 2 + generator.normal(0, 7), 118 + generator.normal(0, 3))
    backdrop = draw_body(draw_room(look.wall, generator), look, place, scale)
    count = len(talk.opening)
    blinks = _blinks(count, generator)
    swing = _wander(count, generator, 4)
    strength = 0.9 + 0.1 * _wander(count, generator, 1)[:, 0]
    nod = 2.0 * cv2.GaussianBlur(talk.opening.astype(np.float32)[:, None], (0, 0), 1.5).ravel()
    for i in range(count):
        now = add(fade(face, float(np.clip(strength[i], 0.65, 1.1))), habit)
        jaw = 0.8 * now.jaw + (0.5 - 0.25 * max(now.jaw, 0)) * float(talk.opening[i])
        now = now._replace(jaw=jaw, press=now.press * (1 - float(talk.opening[i])))
        image = head.skin.copy()
        draw_features(
            image, look, now, blink=float(blinks[i]), round_=float(talk.rounding[i] * talk.opening[i]), warm=head.warm
        )
        turn = 1.6 * swing[i, 0] - 1.5 * now.gaze
        move = (place[0] + 2.5 * swing[i, 1], place[1] + 1.6 * swing[i, 2] + nod[i] + 2.0 * now.gaze)
        yield _paste(backdrop, image, head.opacity, turn, move, scale * (1 + 0.008 * swing[i, 3]))


def draw_nobody(count: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yields ``count`` frames ``(HEIGHT, WIDTH, 3)`` uint8 RGB of a room with nobody in it, the camera swaying."""
    scene = draw_empty_scene(generator)
    for x, y in 1.5 * _wander(count, generator, 2):
        move = np.array([[1.03, 0, x - 0.015 * WIDTH], [0, 1.03, y - 0.015 * HEIGHT]])
        yield cv2.warpAffine(scene, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


@functools.lru_cache(maxsize=16)
def _sculpt(look: Look) -> _Bust:
    """Returns the bust of a speaker, with the same hair in every clip."""
    grid = make_grid()
    skin = paint_skin(grid, look)
    hair = paint_hair(grid, look, np.random.default_rng(sum(look.skin) * 1000 + sum(look.shirt)))
    opacity = np.maximum(np.maximum(skin.opacity, hair.back), hair.front)
    seen = (skin.opacity * (1 - hair.front) * (1 - 0.5 * hair.shadow) * opacity)[..., None]
    lit = skin.face[..., None]
    rest = seen * (1 - lit) * skin.colour
    rest += ((1 - skin.opacity) * (1 - hair.front) * opacity)[..., None] * hair.back_colour
    rest += (hair.front * opacity)[..., None] * hair.colour
    warm = fill(outline(look), soft=6.0) * np.exp(-0.5 * ((grid.y - 30) / 70) ** 2)
    tracks = (seen * lit * skin.colour, seen * lit, rest, skin.slopes)
    colour, gloss, rest, slopes = (track.astype(np.float32) for track in tracks)
    return _Bust(colour, gloss, rest, slopes, (opacity * 255).astype(np.uint8), warm.astype(np.float32))


def _light(bust: _Bust, generator: np.random.Generator) -> _Head:
    """Returns a head under a lamp at about the upper left."""
    lamp = (generator.normal(-0.3, 0.25), generator.normal(-0.5, 0.12), 0.85)
    diffuse, glossy = shine(bust.slopes, lamp)
    skin = bust.colour * (0.42 + 0.61 * diffuse)[..., None] + 34 * bust.gloss * glossy[..., None] + bust.rest
    skin = np.clip(skin, 0, 255).astype(np.uint8)
    return _Head(skin, bust.opacity, (skin[..., 1] * bust.warm).astype(np.uint8))


def _paste(
    backdrop: np.ndarray, image: np.ndarray, opacity: np.ndarray, turn: float, move: tuple[float, float], scale: float
) -> np.ndarray:
    """Returns the backdrop with the head on it: its centre at ``move`` pixels, turned by ``turn`` degrees."""
    matrix = cv2.getRotationMatrix2D(CENTRE, turn, scale)
    matrix[:, 2] += np.array(move) - CENTRE
    inside = (int(SIZE * scale) + 2 + 60, HEIGHT)
    left = int(np.clip(move[0] - inside[0] / 2, 0, WIDTH - inside[0]))
    matrix[0, 2] -= left
    head = cv2.warpAffine(image, matrix, inside, flags=cv2.INTER_LINEAR)
    veil = cv2.warpAffine(opacity, matrix, inside, flags=cv2.INTER_LINEAR)
    frame = backdrop.copy()
    part = frame[:, left : left + inside[0]]
    behind = cv2.multiply(part, cv2.merge([255 - veil] * 3), scale=1 / 255)
    part[:] = cv2.add(head, behind)
    return frame


def _blinks(count: int, generator: np.random.Generator) -> np.ndarray:
    """Returns how far the eyes are shut ``(count,)``: a blink of two to three frames every 1.5 to 4 seconds."""
    shut = np.zeros(count + 4)
    at = generator.uniform(0.2, 2.0) * FRAME_RATE
    while at < count:
        shut[int(at) : int(at) + 3] = (0.6, 1.0, 0.4)
        at += generator.uniform(1.5, 4.0) * FRAME_RATE
    return shut[:count]


def _wander(count: int, generator: np.random.Generator, channels: int) -> np.ndarray:
    """Returns smooth random walks around 0 with about unit variance ``(count, channels)``."""
    noise = generator.normal(0, 1, (count + 32, channels))
    window = np.hanning(15) / np.sqrt((np.hanning(15) ** 2).sum())
    return moving_sum(noise, window)[:count]

"""The parts of a face that move: brows, eyes, mouth and the folds around them."""

from typing import NamedTuple

import cv2
import numpy as np

from toolkit.demo.head import BROW_Y, CENTRE, EYE_X, EYE_Y, MOUTH_Y
from toolkit.demo.speakers import Look


class Expression(NamedTuple):
    """What the muscles do; 0 is rest and 1 is strong, negative values are the opposite where that means something.

    The names follow action units of the Facial Action Coding System (Ekman and Friesen, 1978), given in brackets.
    """

    inner_brow: float = 0.0  # inner ends up (AU1); down when negative (AU4)
    outer_brow: float = 0.0  # outer ends up (AU2)
    frown: float = 0.0  # brows drawn together (AU4)
    lids: float = 0.0  # upper lids up (AU5); drooping when negative
    squint: float = 0.0  # lower lids up, cheeks up (AU6, AU7)
    smile: float = 0.0  # corners of the mouth up (AU12); down when negative (AU15)
    stretch: float = 0.0  # mouth wide (AU20); pursed when negative (AU18)
    jaw: float = 0.0  # mouth open (AU26)
    press: float = 0.0  # lips pressed together (AU23, AU24)
    snarl: float = 0.0  # upper lip up, teeth bare (AU10)
    gaze: float = 0.0  # eyes down
    blush: float = 0.0  # blood in the face


def _polygon(image: np.ndarray, points: np.ndarray, colour: np.ndarray | tuple) -> None:
    cv2.fillPoly(image, [np.round((points + CENTRE) * 16).astype(np.int32)], tuple(map(float, colour)), cv2.LINE_AA, 4)


def _line(image: np.ndarray, points: np.ndarray, colour: np.ndarray | tuple, thickness: int) -> None:
    spots = [np.round((points + CENTRE) * 16).astype(np.int32)]
    cv2.polylines(image, spots, False, tuple(map(float, colour)), thickness, cv2.LINE_AA, 4)


def _crease(image: np.ndarray, points: np.ndarray, strength: float, thickness: int = 3) -> None:
    """Darkens the skin softly along a line, in place."""
    strength = min(strength, 1.0)
    if strength < 0.08:
        return
    low = np.floor((points + CENTRE).min(0) - 8).astype(int)
    high = np.ceil((points + CENTRE).max(0) + 8).astype(int)
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.polylines(mask, [np.round((points + CENTRE - low) * 16).astype(np.int32)], False, 255, thickness,
                  cv2.LINE_AA, 4)  # fmt: skip
    soft = cv2.GaussianBlur(mask, (7, 7), 1.4).astype(np.float32)[..., None] * (0.5 * strength / 255)
    part = image[low[1] : high[1], low[0] : high[0]]
    part[:] = (part * (1 - soft)).astype(np.uint8)


def _eye(image: np.ndarray, side: int, look: Look, face: Expression, blink: float) -> None:
    """Draws one eye; ``blink`` is 1 where it is shut."""
    skin = np.array(look.skin, np.float32)
    wide = 25.0 * look.eyes
    middle = np.array([side * EYE_X * look.apart, EYE_Y])
    open_up = max(12.5 * look.eyes * (1 + 0.75 * face.lids) * (1 - blink), 0.0)
    open_low = max(9.0 * look.eyes * (1 - 0.7 * face.squint) * (1 - 0.8 * blink), 0.6)
    t = np.linspace(-1, 1, 21)
    outer = t * side  # 1 at the outer corner
    slope = -2.0 * outer + 5.0 * np.clip(-face.lids, 0, 1) * (outer + 0.3) - 2.5 * face.frown * (outer - 0.5)
    upper = np.stack([t * wide, slope - open_up * (1 - t**2) ** 0.75 + 7 * blink * (1 - t**2)], 1) + middle
    lower = np.stack([t * wide, -2.0 * outer + open_low * (1 - t**2) ** 0.85], 1) + middle
    lower[:, 1] = np.maximum(lower[:, 1], upper[:, 1] + 0.5)
    shape = np.concatenate([upper, lower[::-1]])

    low = np.floor(middle + CENTRE - (34, 34)).astype(int)
    part = image[low[1] : low[1] + 68, low[0] : low[0] + 68]
    ball = np.full_like(part, 242)
    local = middle + CENTRE - low
    pupil = np.add(local, (0, 1.0 + 6 * face.gaze))
    for radius, colour in ((11.5, np.array(look.iris) * 0.5), (10.2, look.iris), (5.0, (16, 12, 12))):
        _disc(ball, pupil, radius * look.eyes, colour)
    _disc(ball, np.add(pupil, (-3.4, -3.8)), 2.6, (255, 255, 255))
    roof = np.round((upper + CENTRE - low + (0, 1)) * 16).astype(np.int32)
    cv2.polylines(ball, [roof], False, (150, 140, 140), 5, cv2.LINE_AA, 4)
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round((shape + CENTRE - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    weight = mask.astype(np.uint16)[..., None]
    part[:] = ((ball * weight + part * (255 - weight)) // 255).astype(np.uint8)

    _line(image, upper, skin * 0.14, 4)
    _line(image, lower, skin * 0.5, 1)
    lift = 7 + 3 * max(face.lids, 0)
    _crease(image, upper - (0, lift) + np.stack([np.zeros(21), 3 * t**2], 1), 0.7, 2)
    if face.squint > 0.25:
        _crease(image, np.add(lower[3:-3], (0, 7)), face.squint, 2)


def _disc(image: np.ndarray, centre: np.ndarray, radius: float, colour: np.ndarray | tuple) -> None:
    place = tuple(round(float(c) * 16) for c in centre)
    cv2.circle(image, place, int(radius * 16), tuple(map(float, colour)), -1, cv2.LINE_AA, 4)


def _brow(image: np.ndarray, side: int, look: Look, face: Expression) -> None:
    t = np.linspace(0, 1, 15)  # 0 at the inner end
    inner = 13.0 - 9.0 * face.frown
    x = side * (inner + t * (66.0 * look.apart - inner))
    y = BROW_Y + 5 - 9 * np.sin(np.pi * np.clip(t * 0.95, 0, 1)) * (1 - 0.5 * np.clip(-face.inner_brow, 0, 1))
    y = y + 6 * t - 19 * face.inner_brow * (1 - t) ** 1.4 - 17 * face.outer_brow * t**0.8 + 3 * face.frown * (1 - t)
    thick = 5.2 * look.brows * (1 - t**2.2) * (0.72 + 0.28 * np.minimum(t * 6, 1)) + 0.8
    spine = np.stack([x, y], 1)
    up = np.stack([np.zeros(15), thick], 1)
    colour = 0.75 * np.array(look.hair) + 0.1 * np.array(look.skin)
    if look.style in ("bald", "bun") and min(look.hair) > 120:
        colour = colour * 0.75
    _polygon(image, np.concatenate([spine - up, (spine + up)[::-1]]), colour)


def _mouth(image: np.ndarray, look: Look, face: Expression, round_: float) -> None:
    """Draws the lips and what is between them; ``round_`` is 1 for a pursed vowel."""
    t = np.linspace(-1, 1, 33)
    arch = np.clip(1 - t**2, 0, 1)
    wide = 40.0 * (1 + 0.16 * max(face.smile, 0) + 0.2 * face.stretch) * (1 - 0.36 * round_ * min(1, face.jaw * 2.5))
    wide *= 1 - 0.34 * min(max(face.jaw - 0.25, 0), 0.6) * (1 - min(max(face.smile, 0), 1))
    full = look.lips * (1 - 0.6 * face.press)
    bend = np.clip(face.smile, -1.3, 1.3)
    base = MOUTH_Y - 17 * bend * (np.abs(t) ** 1.8 - 0.35) - 2 * face.press
    gap = 44 * max(face.jaw, 0)
    inner_up = base - 0.16 * gap * arch**0.6 - 7 * face.snarl * arch**0.5
    inner_low = base + 0.84 * gap * arch**0.5 + 5 * face.snarl * arch**0.5
    cupid = 1 - 0.28 * np.exp(-((t / 0.16) ** 2))
    lip_up = inner_up - 8.5 * full * arch**0.6 * cupid
    lip_low = inner_low + 11.0 * full * arch**0.5
    x = t * wide
    lip = 0.62 * np.array(look.skin) * (1.06, 0.72, 0.72) + look.rouge * np.array((66, 0, 10))
    rise = (face.jaw > 0.03) or (face.snarl > 0.1)

    def between(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        return np.concatenate([np.stack([x, top], 1), np.stack([x, bottom], 1)[::-1]])

    _polygon(image, between(lip_up, inner_up + 1), lip * 0.86)
    _polygon(image, between(inner_low - 1, lip_low), lip)
    shine = np.stack([x[11:22], (inner_low + 4.5 * full)[11:22]], 1)
    _line(image, shine, np.minimum(lip * 1.22 + 12, 255), 2)
    if rise:
        _polygon(image, between(inner_up, inner_low), (58, 18, 22))
        room = inner_low - inner_up
        _polygon(image, between(inner_low - 0.3 * room * arch, inner_low)[4:-4], (158, 70, 76))
        bite = np.minimum(9.0 + 7 * face.snarl, (0.6 + 0.4 * min(face.snarl + max(face.smile, 0), 1)) * room)
        _polygon(image, between(inner_up, inner_up + bite * arch**0.35)[2:-2], (240, 238, 230))
        if face.snarl > 0.3:
            _polygon(image, between(inner_low - np.minimum(7 * arch**0.4, room * 0.45), inner_low), (226, 222, 212))
    _line(image, np.stack([x, inner_up], 1), lip * 0.42, 2)
    for side, end in ((-1, 0), (1, -1)):
        corner = np.array([[x[end] - side * 3, base[end]], [x[end] + side * 5, base[end] - 4 * bend]])
        _crease(image, corner, 0.9, 3)
    _crease(image, np.stack([x[8:25] * 0.8, lip_low[8:25] + 9], 1), 0.35 + 0.3 * max(-face.smile, 0), 4)


def _folds(image: np.ndarray, look: Look, face: Expression) -> None:
    t = np.linspace(0, 1, 9)
    for side in (-1, 1):
        cheek = max(face.smile, 0) + 0.8 * face.snarl + 0.25 * max(-face.smile, 0)
        bulge = 10 * np.sin(np.pi * t) * (0.4 + 0.6 * max(face.smile, 0))
        _crease(image, np.stack([side * (25 + 30 * t + bulge), 50 + 38 * t - 8 * max(face.smile, 0) * t], 1), cheek, 3)
        knit = max(face.frown, 0) * (1.15 if face.inner_brow < 0 else 0.7)
        _crease(image, np.stack([side * (6 + 1.5 * t), BROW_Y - 10 + 22 * t], 1), knit, 2)
    raised = max(face.outer_brow, 0) * 0.9 + max(face.inner_brow, 0) * 0.5
    if look.style not in ("bob",):
        for row in range(3):
            y = BROW_Y - 22 - 11 * row - 4 * np.sin(np.pi * t)
            _crease(image, np.stack([(t - 0.5) * (104 - 12 * row), y], 1), raised * 0.55 - 0.08 * row, 2)


def _glasses(image: np.ndarray, look: Look) -> None:
    angle = np.linspace(0, 2 * np.pi, 40)
    for side in (-1, 1):
        centre = np.array([side * EYE_X * look.apart, EYE_Y + 3])
        rim = np.stack([np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.7 * 38,
                        np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.7 * 27], 1) + centre  # fmt: skip
        _line(image, np.concatenate([rim, rim[:1]]), (48, 44, 50), 4)
        _line(image, np.array([[side * 86, EYE_Y - 6], [side * 112, EYE_Y - 4]]), (48, 44, 50), 4)
    _line(image, np.array([[-11, EYE_Y - 2], [0, EYE_Y - 5], [11, EYE_Y - 2]]), (48, 44, 50), 4)


def draw_features(
    image: np.ndarray, look: Look, face: Expression, *, blink: float, round_: float, warm: np.ndarray
) -> None:
    """Draws a face's moving parts on its skin, in place.

    Args:
        image: the head ``(SIZE, SIZE, 3)`` uint8 RGB
        look: whose face
        face: what the muscles do
        blink: 0 open to 1 shut eyes
        round_: 0 for a spread vowel to 1 for a pursed one
        warm: where blood shows ``(SIZE, SIZE)`` uint8, for ``face.blush``
    """
    if face.blush > 0.05:
        cooler = cv2.convertScaleAbs(warm, alpha=min(face.blush, 1.2) * 0.16)
        image[..., 1] = cv2.subtract(image[..., 1], cooler)
        image[..., 2] = cv2.subtract(image[..., 2], cooler)
    _folds(image, look, face)
    for side in (-1, 1):
        _eye(image, side, look, face, blink)
        _brow(image, side, look, face)
    _mouth(image, look, face, round_)
    if look.glasses:
        _glasses(image, look)

"""RandAugment for clips: operations drawn at random, the same ones for every picture.

Cubuk, Zoph, Shlens, Le 2020, "RandAugment"; operations, their strengths and the word ``rand-m7-n4-mstd0.5-inc1`` are
those of Wightman's timm, which all three systems took over by way of SlowFast and VideoMAE.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

Change = Callable[[Image.Image], Image.Image]
Operation = Callable[[float, int], Change]  # of a strength between 0 and 1, and a sign

HIGHEST = 10.0  # magnitude
PROBABILITY = 0.5  # of an operation that was drawn
GREY = (128, 128, 128)  # where a picture was moved away
DEGREES, SHEAR, MOVE, FACTOR, ADDED = 30.0, 0.3, 0.45, 0.9, 110  # at full strength; MOVE is a share of the width
KEPT_BITS = 4  # of each colour, at no strength


def _enhance(kind: str) -> Operation:
    def ready(strength: float, sign: int) -> Change:
        return lambda picture: getattr(ImageEnhance, kind)(picture).enhance(1 + sign * FACTOR * strength)

    return ready


def _move(row: Callable[[Image.Image, float], tuple[float, ...]], most: float) -> Operation:
    """Returns an operation that takes each pixel from elsewhere, given the six numbers of the affine map."""

    def ready(strength: float, sign: int) -> Change:
        amount = sign * most * strength
        return lambda picture: picture.transform(
            picture.size, Image.Transform.AFFINE, row(picture, amount), Image.Resampling.BICUBIC, fillcolor=GREY
        )

    return ready


def _rotate(strength: float, sign: int) -> Change:
    degrees = sign * DEGREES * strength
    return lambda picture: picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GREY)


def _posterize(strength: float, _: int) -> Change:
    dropped = 8 - KEPT_BITS + int(KEPT_BITS * strength)  # all 8 at full strength, which newer PIL refuses to do
    table = [value >> dropped << dropped for value in range(256)]
    return lambda picture: picture.point(table * 3)


def _solarize(strength: float, _: int) -> Change:
    return lambda picture: ImageOps.solarize(picture, 256 - int(256 * strength))


def _solarize_add(strength: float, _: int) -> Change:
    table = [min(255, value + int(ADDED * strength)) if value < 128 else value for value in range(256)]
    return lambda picture: picture.point(table * 3)


# Those that grow with their strength ("inc1"), in the order of timm.
OPERATIONS: dict[str, Operation] = {
    "auto_contrast": lambda *_: ImageOps.autocontrast,
    "equalize": lambda *_: ImageOps.equalize,
    "invert": lambda *_: ImageOps.invert,
    "rotate": _rotate,
    "posterize": _posterize,
    "solarize": _solarize,
    "solarize_add": _solarize_add,
    "color": _enhance("Color"),
    "contrast": _enhance("Contrast"),
    "brightness": _enhance("Brightness"),
    "sharpness": _enhance("Sharpness"),
    "shear_x": _move(lambda _, amount: (1, amount, 0, 0, 1, 0), SHEAR),
    "shear_y": _move(lambda _, amount: (1, 0, 0, amount, 1, 0), SHEAR),
    "translate_x": _move(lambda picture, amount: (1, 0, amount * picture.width, 0, 1, 0), MOVE),
    "translate_y": _move(lambda picture, amount: (1, 0, 0, 0, 1, amount * picture.height), MOVE),
}


@dataclass(frozen=True)
class RandomAugment:
    """Some operations after one another, drawn with replacement, each of them left out half of the time.

    Attributes:
        operations: how many are drawn
        magnitude: mean of the strength, 10 being full
        deviation: of the strength, which is drawn anew for each operation
    """

    operations: int = 4
    magnitude: float = 7.0
    deviation: float = 0.5

    def draw(self, chance: np.random.Generator) -> list[Change]:
        """Returns changes, ready for any number of pictures."""
        names = list(OPERATIONS)
        changes = []
        for _ in range(self.operations):
            name = names[int(chance.integers(len(names)))]
            happens, sign = chance.random() < PROBABILITY, 1 if chance.random() < 0.5 else -1
            magnitude = float(np.clip(chance.normal(self.magnitude, self.deviation), 0, HIGHEST))
            if happens:
                changes.append(OPERATIONS[name](magnitude / HIGHEST, sign))
        return changes

    def __call__(self, pictures: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """Returns changed pictures.

        Args:
            pictures: ``(T, H, W, 3)`` uint8 RGB
            chance: the same draws whatever the pictures
        """
        changes = self.draw(chance)
        return np.stack([_changed(picture, changes) for picture in pictures]) if changes else pictures


def _changed(picture: np.ndarray, changes: list[Change]) -> np.ndarray:
    image = Image.fromarray(picture)
    for change in changes:
        image = change(image)
    return np.asarray(image)

"""What is done to the pictures of a clip before a network sees them: at random to learn, by rule to be scored."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from baseline.face_clips.pixels import normalised
from baseline.fine_tuning.random_augment import RandomAugment

Resize = Literal["square", "short_side"]
RATIOS = (0.75, 1.3333)  # of width to height of a random crop, as released
ERASED, ERASED_RATIO = (0.02, 1 / 3), 0.3  # shares of the picture, and the flattest box (Zhong et al. 2020)
TRIES = {"crop": 10, "erase": 100}  # until a box fits


class Box(NamedTuple):
    """A part of a picture in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


class Augmentation(NamedTuple):
    """How clips are changed while a network learns, as in the recipes of all three systems.

    Attributes:
        augment: operations on the pictures
        smallest: share of a picture that a random crop has at least
        flip: probability of a mirrored clip
        erasing: probability of a box of noise
    """

    augment: RandomAugment = RandomAugment()
    smallest: float = 0.08
    flip: float = 0.5
    erasing: float = 0.25

    def __call__(self, pictures: np.ndarray, size: int, chance: np.random.Generator) -> Tensor:
        """Returns a clip, all pictures of it changed alike.

        Args:
            pictures: ``(T, H, W, 3)`` uint8 RGB
            size: height and width wanted
            chance: drawn from

        Returns:
            ``(3, T, size, size)`` float32, normalised
        """
        import cv2

        pictures = self.augment(pictures, chance)
        rows, columns = random_box(*pictures.shape[1:3], (self.smallest, 1.0), RATIOS, chance).slices
        cut = pictures[:, rows, columns].astype(np.float32)
        if chance.random() < self.flip:
            cut = cut[:, :, ::-1]
        # cv2 takes a fifth of torch's time where colours lie side by side; the numbers are the same.
        scaled = [cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR) for picture in cut]
        clip = as_input(np.stack(scaled))
        if chance.random() < self.erasing:
            clip = erased(clip, chance)
        return clip


def as_input(pictures: np.ndarray) -> Tensor:
    """Returns pictures ``(T, H, W, 3)`` of values up to 255 as a clip ``(3, T, H, W)`` float32, normalised."""
    return normalised(torch.from_numpy(np.ascontiguousarray(pictures))[None])[0]


def resized(pictures: np.ndarray, size: int, how: Resize = "square") -> np.ndarray:
    """Returns pictures of the network's size, as the authors make them: bilinear, without smoothing beforehand.

    Args:
        pictures: ``(T, H, W, 3)`` uint8
        size: of the sides
        how: "square" whatever the shape, as released, or only the "short_side", the other in proportion
    """
    import cv2

    height, width = pictures.shape[1:3]
    factor = size / min(height, width)
    shape = (size, size) if how == "square" else (max(size, round(height * factor)), max(size, round(width * factor)))
    if shape == (height, width):
        return pictures
    return np.stack([cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_LINEAR) for picture in pictures])


def views_of(pictures: np.ndarray, size: int, views: int) -> list[np.ndarray]:
    """Returns square parts spread evenly over the longer side, each part once.

    Of square pictures, to which all three systems resize theirs, all parts are the same.

    Args:
        pictures: ``(T, H, W, 3)``, the shorter side being the size
        size: of the sides wanted
        views: how many parts there are at most
    """
    height, width = pictures.shape[1:3]
    rest = max(height, width) - size
    starts = dict.fromkeys(int(start) for start in np.linspace(0, rest, views))
    if height > width:
        return [pictures[:, start : start + size] for start in starts]
    return [pictures[:, :, start : start + size] for start in starts]


def random_box(
    height: int, width: int, areas: tuple[float, float], ratios: tuple[float, float], chance: np.random.Generator
) -> Box:
    """Returns a box of random area, ratio of width to height, and place (Szegedy et al. 2015); what fits if none does.

    Args:
        height: of the picture
        width: of the picture
        areas: least and greatest share of the picture
        ratios: least and greatest ratio
        chance: drawn from
    """
    box = _fitting(
        height, width, areas, ratios, chance, TRIES["crop"], lambda tall, wide: tall <= height and wide <= width
    )
    if box is not None:
        return box
    wide = min(width, round(height * ratios[1]))
    tall = min(height, round(width / ratios[0]))
    return Box((height - tall) // 2, (width - wide) // 2, tall, wide)


def erased(clip: Tensor, chance: np.random.Generator) -> Tensor:
    """Returns a clip with a box of noise, at one place in all pictures and other noise in each.

    Args:
        clip: ``(3, T, H, W)``
        chance: drawn from
    """
    height, width = clip.shape[2:]
    ratios = (ERASED_RATIO, 1 / ERASED_RATIO)
    box = _fitting(
        height, width, ERASED, ratios, chance, TRIES["erase"], lambda tall, wide: tall < height and wide < width
    )
    if box is None:
        return clip
    clip = clip.clone()
    rows, columns = box.slices
    noise = chance.standard_normal((clip.shape[1], 3, box.height, box.width), np.float32)
    clip[:, :, rows, columns] = torch.from_numpy(noise).transpose(0, 1)
    return clip


def _fitting(
    height: int,
    width: int,
    areas: tuple[float, float],
    ratios: tuple[float, float],
    chance: np.random.Generator,
    tries: int,
    fits: Callable[[int, int], bool],
) -> Box | None:
    for _ in range(tries):
        area = chance.uniform(*areas) * height * width
        ratio = math.exp(chance.uniform(math.log(ratios[0]), math.log(ratios[1])))
        tall, wide = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if tall > 0 and wide > 0 and fits(tall, wide):
            return Box(int(chance.integers(height - tall + 1)), int(chance.integers(width - wide + 1)), tall, wide)
    return None

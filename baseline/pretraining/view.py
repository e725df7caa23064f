"""What is seen and heard of a clip in pretraining."""

from typing import NamedTuple

import numpy as np

from baseline.face_clips.clip import Clip
from baseline.pretraining.multi_scale_crop import multi_scale_crop
from toolkit.clip_sound import random_gain
from toolkit.errors import ClipError
from toolkit.filter_bank import filter_bank_example
from toolkit.frame_sampling import pretraining_frames
from toolkit.status import Status


class Window(NamedTuple):
    """The part of each picture that is looked at, in pixels; for VoxCeleb2's pictures of 224 pixels 32, 0, 160, 160.

    Attributes:
        left: columns left out before it
        top: rows left out above it
        width: its columns
        height: its rows
    """

    left: int
    top: int
    width: int
    height: int


class PretrainingView:
    """Sixteen pictures from a random place in a random window, and the sound that goes with them.

    Args:
        size: height and width of the pictures in pixels
        step: pictures of the clip from one to the next
        hears: whether sound is wanted too
        window: part of each picture that is looked at, all of it if None
    """

    def __init__(self, size: int, *, step: int, hears: bool, window: Window | None = None) -> None:
        self._size, self._step, self._hears, self._window = size, step, hears, window

    def __call__(self, clip: Clip, chance: np.random.Generator) -> dict[str, np.ndarray]:
        """Returns ``video`` ``(16, size, size, 3)`` uint8 and, if wanted, ``audio`` ``(1, 256, 128)`` float32.

        Args:
            clip: to be read
            chance: drawn from for the place, the window and the loudness, in this order

        Raises:
            ClipError: the clip cannot be read, is silent or too short, or its pictures smaller than the window
        """
        choice = pretraining_frames(len(clip), self._step, chance)
        pictures = self._looked_at(clip, clip.pictures(choice.frames))
        seen = {"video": multi_scale_crop(pictures, self._size, chance)}
        if self._hears:
            seen["audio"] = filter_bank_example(random_gain(clip.sound_with(choice), chance))[None]
        return seen

    def _looked_at(self, clip: Clip, pictures: np.ndarray) -> np.ndarray:
        if self._window is None:
            return pictures
        left, top, width, height = self._window
        part = pictures[:, top : top + height, left : left + width]
        if part.shape[1:3] != (height, width):
            rows, columns = pictures.shape[1:3]
            raise ClipError(Status.ERROR, f"{clip.name}: pictures of {columns} x {rows} pixels do not fill the window")
        return part

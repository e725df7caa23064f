"""What a network sees and hears of one clip."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from baseline.face_clips.clip import Clip
from baseline.fine_tuning.augmentation import Augmentation, as_input, resized, views_of
from baseline.fine_tuning.random_augment import RandomAugment
from baseline.fine_tuning.settings import AugmentationSettings, PictureSettings
from toolkit.clip_sound import random_gain
from toolkit.filter_bank import filter_bank_example
from toolkit.frame_sampling import Choice, training_frames, view_frames

Inputs = dict[str, Tensor]


class ExampleMaker(NamedTuple):
    """Makes inputs of a network, the first dimension being views of the clip.

    Attributes:
        streams: ``video`` ``(views, 3, 16, size, size)``, ``audio`` ``(views, 1, sound_frames, 128)`` or both
        size: of the pictures
        sound_frames: of the filter bank
        pictures: which are seen
        changes: what is done to them while a network learns
    """

    streams: tuple[str, ...]
    size: int
    sound_frames: int
    pictures: PictureSettings
    changes: AugmentationSettings

    def to_learn(self, clip: Clip, chance: np.random.Generator) -> Inputs:
        """Returns one view, changed at random.

        Raises:
            ClipError: the clip cannot be read
        """
        choice = training_frames(len(clip), self.pictures.step, chance)
        changes = self.changes
        augment = RandomAugment(changes.operations, changes.magnitude, changes.deviation)
        change = Augmentation(augment, changes.smallest_crop, changes.flip, changes.erasing)
        inputs = {}
        if "video" in self.streams:
            inputs["video"] = change(self._seen(clip, choice), self.size, chance)[None]
        if "audio" in self.streams:
            inputs["audio"] = self._heard(clip, choice, chance if changes.gain != "never" else None)[None]
        return inputs

    def to_score(self, clip: Clip, chance: np.random.Generator) -> Inputs:
        """Returns all views of a clip, those of its beginning first.

        Args:
            clip: to be scored
            chance: drawn from only if sound is changed always

        Raises:
            ClipError: the clip cannot be read
        """
        return self._views(clip, view_frames(len(clip), self.pictures.step, self.pictures.time_views), chance)

    def to_choose_as_released(self, clip: Clip, chance: np.random.Generator) -> Inputs:
        """Returns one view of pictures drawn at random, as the authors choose epochs; errors as `to_score`."""
        return self._views(clip, [training_frames(len(clip), self.pictures.step, chance)], chance)

    def _views(self, clip: Clip, choices: list[Choice], chance: np.random.Generator) -> Inputs:
        videos, sounds = [], []
        for choice in choices:
            parts = 1
            if "video" in self.streams:
                cut = views_of(self._seen(clip, choice), self.size, self.pictures.space_views)
                videos += [as_input(part) for part in cut]
                parts = len(cut)
            if "audio" in self.streams:
                heard = self._heard(clip, choice, chance if self.changes.gain == "always" else None)
                sounds += [heard] * parts
        named = (("video", videos), ("audio", sounds))
        return {stream: torch.stack(views) for stream, views in named if stream in self.streams}

    def _seen(self, clip: Clip, choice: Choice) -> np.ndarray:
        return resized(clip.pictures(choice.frames), self.size, self.pictures.resize)

    def _heard(self, clip: Clip, choice: Choice, chance: np.random.Generator | None) -> Tensor:
        samples = clip.sound_with(choice)
        if chance is not None:
            samples = random_gain(samples, chance)
        return torch.from_numpy(filter_bank_example(samples, self.sound_frames))[None]

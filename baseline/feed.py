"""Batches for many models at once, cut out of features that lie in memory."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from baseline.config import TrainingSettings
from baseline.dataset import Targets
from baseline.lesson import Lesson, order_of
from baseline.ragged import Ragged
from toolkit.models.dropout import LEVELS
from toolkit.models.network import Features, Sequences


class Batch(NamedTuple):
    """One step's clips for every model.

    Attributes:
        features: ``(models, batch, dim)`` or `Sequences` with the axis of models in front, by feature
        present: ``(models, batch)`` boolean by feature
        targets: ``(models, batch)``
    """

    features: Features
    present: dict[str, Tensor]
    targets: Targets


class Feed:
    """Gathers and standardises the batches of several lessons; models of the same lesson get the same.

    The last batch of a pass is filled up with clips that have no feature and no label, so that every step has one
    shape and a model's numbers do not depend on whom it trains with.

    Args:
        lessons: of as many steps each
        which: number of each model's lesson
        settings: batch size and modality dropout

    Raises:
        ValueError: features are kept within other limits in one lesson than in another
    """

    def __init__(self, lessons: Sequence[Lesson], which: Sequence[int], settings: TrainingSettings) -> None:
        self.lessons, self.settings = lessons, settings
        self._device = lessons[0].device()
        own = list(which) == list(range(len(lessons)))
        self._which = None if own else torch.tensor(which, device=self._device)
        self._sources = [np.random.Generator(np.random.SFC64([lesson.seed, 1])) for lesson in lessons]
        self._one_pool = all(lesson.pool is lessons[0].pool for lesson in lessons)
        limits = {lesson.standard.limit for lesson in lessons}
        if len(limits) > 1:
            raise ValueError("either all lessons of a stack are standardised, or none is")
        self._limit = limits.pop()
        self._mean, self._deviation, self._present = {}, {}, {}
        for key in lessons[0].pool.inputs.values:
            mean = torch.stack([lesson.standard.mean[key] for lesson in lessons])
            deviation = torch.stack([lesson.standard.deviation[key] for lesson in lessons])
            self._mean[key], self._deviation[key] = mean[:, None], deviation[:, None]  # (lessons, 1, dim)
            taught = deviation.isfinite().all(1)  # a feature that no training clip has is not present
            present = pad_sequence([lesson.pool.inputs.present[key] for lesson in lessons], batch_first=True)
            self._present[key] = present & taught[:, None]
        parts = zip(*(lesson.targets for lesson in lessons), strict=True)
        self._targets = Targets(*(pad_sequence(list(part), batch_first=True) for part in parts))

    def __iter__(self) -> Iterator[Batch]:
        """Yields the batches of one pass, in an order of its own."""
        size = self.settings.batch_size
        steps = self.lessons[0].steps(size)
        orders = [order_of(one, source, steps * size) for one, source in zip(self.lessons, self._sources, strict=True)]
        rows, real = (torch.stack(parts) for parts in zip(*orders, strict=True))  # (lessons, clips of the pass)
        present = {key: mask.gather(1, rows) & real for key, mask in self._present.items()}
        if self.settings.modality_dropout:
            present = self._drop(present)
        targets = self._labels(rows, real)
        for start in range(0, steps * size, size):
            step = slice(start, start + size)
            masks = {key: mask[:, step] for key, mask in present.items()}
            features = {key: self._models(self._features(key, rows[:, step])) for key in masks}
            chosen = {key: self._models(mask) for key, mask in masks.items()}
            yield Batch(features, chosen, Targets(*(self._models(part[:, step]) for part in targets)))

    def _features(self, key: str, rows: Tensor) -> Tensor | Sequences:
        """Returns the standardised features of some rows ``(lessons, batch)`` of each lesson's pool."""
        pools = [lesson.pool.inputs.values[key] for lesson in self.lessons]
        if isinstance(pools[0], Ragged):
            return self._frames(key, rows)
        if self._one_pool:
            values = pools[0].index_select(0, rows.flatten()).unflatten(0, rows.shape)
        else:
            values = torch.stack([pool[numbers] for pool, numbers in zip(pools, rows, strict=True)])
        if self._limit == math.inf:  # they stay as they are
            return values
        return values.sub_(self._mean[key]).div_(self._deviation[key]).clamp_(-self._limit, self._limit)

    def _frames(self, key: str, rows: Tensor) -> Sequences:
        """Returns the same of frames. There is one lesson: networks that read frames do not stack."""
        clips = [lesson.pool.inputs.values[key][own] for lesson, own in zip(self.lessons, rows, strict=True)]
        padded = [one.standard.scaled(key, own).padded() for one, own in zip(self.lessons, clips, strict=True)]
        return Sequences(*(torch.stack(part) for part in zip(*padded, strict=True)))

    def _labels(self, rows: Tensor, real: Tensor) -> Targets:
        """Returns what is known of some rows ``(lessons, clips)``, nothing where a row only fills up."""
        emotion, valence, words = self._targets
        nothing = valence.new_tensor(float("nan"))
        lesson = torch.arange(len(rows), device=rows.device)[:, None]
        return Targets(
            torch.where(real, emotion.gather(1, rows), -1),
            torch.where(real, valence.gather(1, rows), nothing),
            torch.where(real[..., None], words[lesson, rows], nothing),
        )

    def _drop(self, present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Takes modalities away by chance, never the last one of a clip."""
        length = next(iter(present.values())).shape[1]
        drawn = np.stack([source.integers(LEVELS, size=(len(present), length)) for source in self._sources])
        stays = torch.from_numpy(drawn).to(self._device) >= self.settings.modality_dropout * LEVELS
        left = {key: mask & stays[:, number] for number, (key, mask) in enumerate(present.items())}
        any_left = torch.stack(list(left.values())).any(0)
        return {key: torch.where(any_left, mask, present[key]) for key, mask in left.items()}

    def _models(self, part: Tensor | Sequences) -> Tensor | Sequences:
        """Gives each model its lesson's part; the only lesson's is not copied."""
        if self._which is None:
            return part
        if isinstance(part, Sequences):
            return Sequences(*map(self._models, part))
        if len(self.lessons) == 1:
            return part.expand(len(self._which), *part.shape[1:])
        return part[self._which]

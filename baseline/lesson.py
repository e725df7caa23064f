"""What a network learns from: clips of a pool, which of them train and which choose the epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from baseline.dataset import Examples, Inputs, Targets
from baseline.standard import Standard
from baseline.task import Truth


@dataclass(frozen=True, eq=False)
class Lesson:
    """Clips to learn from. Networks trained on the same lesson see the same clips in the same order.

    Attributes:
        pool: features and labels, in memory once for all lessons
        train: ``(n,)`` rows of the pool that are learnt from
        valid: ``(m,)`` rows that choose the epoch, none or ``None`` where the last is kept
        seed: of initial weights, order and dropout
        normalise: whether features and valence are standardised on ``train``
        valence_range: predictions are kept within it
    """

    pool: Examples
    train: Tensor
    valid: Tensor | None
    seed: int
    normalise: bool = True
    valence_range: tuple[float, float] = (-math.inf, math.inf)

    @cached_property
    def standard(self) -> Standard:
        """What inputs and valence are standardised by, measured on the training clips."""
        measured = Standard.fit if self.normalise else Standard.neutral
        return measured(self.pool.inputs, self.pool.targets, self.train)

    @cached_property
    def targets(self) -> Targets:
        """Labels of the whole pool, valence standardised."""
        mean, deviation = self.standard.valence
        targets = self.pool.targets
        return targets._replace(valence=(targets.valence - mean) / deviation)

    @cached_property
    def judging(self) -> Tensor:
        """``(k,)`` rows that choose the epoch: those of `valid` with a feature that some training clip has."""
        if self.valid is None:
            return self.train[:0]
        return self.valid[self.standard.usable(self.pool.inputs)[self.valid]]

    @cached_property
    def held(self) -> tuple[Inputs, Targets, Truth] | None:
        """What an epoch is judged on: features, labels with standardised valence, and the labels as they are.

        Vectors are standardised; frames are not, and come shortest clips first, for `shown`.
        """
        rows, lengths = self.judging, self.pool.inputs.lengths
        if not len(rows):
            return None
        if lengths is not None:
            rows = rows[lengths[rows].argsort(stable=True)]
        inputs = self.pool.inputs.take(rows)
        if lengths is None:
            inputs = self.standard.apply(inputs)
        return inputs, self.targets.take(rows), Truth.of(self.pool.targets.take(rows))

    def shown(self) -> Iterator[Inputs]:
        """Yields the clips of `held` for networks to read, in batches as at predicting.

        Frames are standardised anew each time, since a copy of all would take as much memory as they do.
        """
        yield from self._batches if self.held[0].lengths is None else map(self.standard.apply, self._batches)

    @cached_property
    def _batches(self) -> list[Inputs]:
        return list(self.held[0].batches())

    def steps(self, batch_size: int) -> int:
        """Returns the number of batches in a pass over the training clips."""
        return -(-len(self.train) // batch_size)

    def device(self) -> torch.device:
        """Returns where the pool is."""
        return self.pool.targets.valence.device


def order_of(lesson: Lesson, source: np.random.Generator, length: int) -> tuple[Tensor, Tensor]:
    """Returns the rows of one pass in a new order, filled up to a length.

    Args:
        lesson: whose training clips
        source: of the order
        length: at least as many as there are training clips

    Returns:
        ``(length,)`` rows of the pool, and ``(length,)`` boolean, false where a row only fills up
    """
    count = len(lesson.train)
    places = np.zeros(length, np.int64)
    places[:count] = source.permutation(count)
    real = torch.arange(length) < count
    return lesson.train[torch.from_numpy(places).to(lesson.train.device)], real.to(lesson.train.device)

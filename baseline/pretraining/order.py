"""Which clips make up each step of an epoch, and which of them a process reads."""

from collections.abc import Iterator

import numpy as np

from baseline.face_clips.stream import Draw
from toolkit.seeds import generator_for


class Order:
    """All clips in a new random order every epoch; those that fill no whole batch have to wait for another epoch.

    Of fewer clips than a batch, each comes as often as is needed to fill one, seen otherwise every time.

    Args:
        clips: how many there are
        batch: clips of a step, over all processes and parts
        seed: of the order
    """

    def __init__(self, clips: int, batch: int, seed: int) -> None:
        self._clips, self._batch, self._seed = clips, batch, seed
        self.steps = max(1, clips // batch)

    def step_draws(self, epoch: int) -> Iterator[list[Draw]]:
        """Yields the draws of each step of an epoch."""
        chance = generator_for(self._seed, "order", str(epoch))
        rounds = -(-self.steps * self._batch // self._clips)
        numbers = np.concatenate([chance.permutation(self._clips) for _ in range(rounds)])
        for start in range(0, self.steps * self._batch, self._batch):
            places = range(start, start + self._batch)
            yield [Draw(epoch, int(numbers[place]), place // self._clips) for place in places]

    def parts(self, epochs: range, *, accumulate: int = 1, rank: int = 0, processes: int = 1) -> Iterator[list[Draw]]:
        """Yields what a process reads, ``accumulate`` batches for each step of all epochs.

        Args:
            epochs: that are trained
            accumulate: batches that a process makes of its share of a step
            rank: of the process
            processes: that share a step
        """
        part = self._batch // (accumulate * processes)
        for epoch in epochs:
            for draws in self.step_draws(epoch):
                for first in range(rank, accumulate * processes, processes):
                    yield draws[first * part : (first + 1) * part]

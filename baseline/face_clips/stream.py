"""Batches of clips, read ahead by other processes, the same whatever their number and order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from baseline.face_clips.clip import Clip, ClipSource, only_clip_errors
from toolkit.errors import ClipError, UserError
from toolkit.seeds import generator_for

PATIENCE = 100  # clips in a row that cannot be read before it is no accident

View = Callable[[Clip, np.random.Generator], Mapping[str, np.ndarray]]


class Draw(NamedTuple):
    """A clip that is to be read; all chance in what is seen of it comes from these numbers and the seed.

    Attributes:
        epoch: from 0
        number: of the clip, from 0
        again: how often it came before in the epoch
    """

    epoch: int
    number: int
    again: int = 0

    def chance(self, seed: int, purpose: str) -> np.random.Generator:
        """Returns the random generator of one purpose."""
        return generator_for(seed, purpose, *map(str, self))


class ClipBatch(NamedTuple):
    """Some clips as tensors.

    Attributes:
        draws: what was asked for, of each clip that was read
        numbers: of the clips that were read, which may be others than those asked for
        tensors: what was seen of them, ``(batch, ...)`` each
        failures: by name, clips that could not be read
    """

    draws: list[Draw]
    numbers: list[int]
    tensors: dict[str, Tensor]
    failures: dict[str, ClipError]


class ClipStream:
    """Reads clips batch by batch.

    At most ``workers + 1`` batches are in memory at once, however many clips there are.

    Args:
        clips: where they are read from
        view: makes arrays of a clip, by name and always of one shape; sent to the workers, so defined in a module
        seed: of the views' chance
        workers: processes that read; 0 to read in this one
        replace: take the next clip for one that cannot be read, so that batches keep their size; otherwise it is
            left out of its batch
        pinned: put batches where a GPU takes them from without waiting
    """

    def __init__(
        self, clips: ClipSource, view: View, *, seed: int, workers: int = 0, replace: bool = True, pinned: bool = False
    ) -> None:
        self._reader = _Reader(clips, view, seed, replace)
        self._replace, self._workers, self._pinned = replace, workers, pinned

    def read(self, batches: Iterable[Sequence[Draw]]) -> Iterator[ClipBatch]:
        """Yields batches, those drawn next being read meanwhile.

        Args:
            batches: draws of each batch; taken from as the reading goes on, so that it may be a whole training's

        Raises:
            UserError: one clip after the other cannot be read
        """
        loader = DataLoader(
            self._reader,
            batch_sampler=_Once(batches),
            num_workers=self._workers,
            prefetch_factor=1 if self._workers else None,
            collate_fn=_as_it_is,
            pin_memory=self._pinned,
            generator=torch.Generator(),  # or it would take from the chance that networks are trained with
            worker_init_fn=_single_threaded,
        )
        for batch in loader:
            if self._replace and not batch.draws:
                name, error = next(iter(batch.failures.items()))
                raise UserError(f"{len(batch.failures)} clips in a row cannot be read; the first, '{name}': {error}")
            yield batch


class _Reader(Dataset):
    """Makes batches of draws, in whichever process."""

    def __init__(self, clips: ClipSource, view: View, seed: int, replace: bool) -> None:
        self._clips, self._view, self._seed, self._replace = clips, view, seed, replace

    def __getitems__(self, draws: Sequence[Draw]) -> ClipBatch:
        failures: dict[str, ClipError] = {}
        read = [(draw, *found) for draw in draws if (found := self._read(draw, failures)) is not None]
        if self._replace and len(read) < len(draws):
            return ClipBatch([], [], {}, failures)
        seen = [arrays for _, _, arrays in read]
        names = seen[0] if seen else ()
        tensors = {name: torch.from_numpy(np.stack([arrays[name] for arrays in seen])) for name in names}
        return ClipBatch([draw for draw, _, _ in read], [number for _, number, _ in read], tensors, failures)

    def _read(self, draw: Draw, failures: dict[str, ClipError]) -> tuple[int, Mapping[str, np.ndarray]] | None:
        count = len(self._clips)
        for further in range(min(count, PATIENCE) if self._replace else 1):
            number = (draw.number + further) % count
            name = self._clips.names[number]
            try:
                with only_clip_errors(name):
                    return number, self._view(self._clips.open(number), draw.chance(self._seed, "view"))
            except ClipError as error:
                # Not the error that was raised: it holds on to the pictures of all functions that it went through.
                failures[name] = ClipError(error.status, error.reason)
        return None


class _Once:
    """Draws of batches, as the loader wants to have them."""

    def __init__(self, batches: Iterable[Sequence[Draw]]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[list[Draw]]:
        return map(list, self._batches)


def _as_it_is(batch: ClipBatch) -> ClipBatch:
    return batch


def _single_threaded(_: int) -> None:
    import cv2

    cv2.setNumThreads(0)  # its threads do not survive a fork, and the cores are taken by the other workers

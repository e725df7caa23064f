"""Batches of clips, read by other processes where that is wanted."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from baseline.face_clips.clip import Clip, ClipSource, only_clip_errors
from baseline.fine_tuning.example import Inputs
from toolkit.errors import ClipError
from toolkit.seeds import generator_for
from toolkit.status import Status

logger = logging.getLogger(__name__)

Make = Callable[[Clip, np.random.Generator], Inputs]


class Unread(NamedTuple):
    """A clip that cannot be read.

    Attributes:
        name: of the clip
        status: why
        reason: in a line
    """

    name: str
    status: Status
    reason: str


class Batch(NamedTuple):
    """Clips side by side.

    Attributes:
        names: of those that could be read
        views: how many each has
        inputs: by stream, ``(sum of views, ...)``; nothing if no clip could be read
        unread: the others
    """

    names: list[str]
    views: list[int]
    inputs: Inputs
    unread: list[Unread]


class Examples(Dataset[tuple[str, Inputs] | Unread]):
    """Clips as a network gets them; what is drawn for one depends on seed, purpose and its name alone.

    Args:
        source: of the clips
        names: which, in their order
        make: what is made of a clip
        seed: of the run
        purpose: words that tell these draws from others
    """

    def __init__(self, source: ClipSource, names: Sequence[str], make: Make, seed: int, *purpose: str) -> None:
        self._source, self._names, self._make = source, names, make
        self._numbers = {name: number for number, name in enumerate(source.names)}
        self._seed, self._purpose = seed, purpose

    def __len__(self) -> int:
        """Returns how many clips there are."""
        return len(self._names)

    def __getitem__(self, place: int) -> tuple[str, Inputs] | Unread:
        """Returns a clip's name and inputs, or why there are none."""
        name = self._names[place]
        if name in self._source.left_out:
            error = self._source.left_out[name]
            return Unread(name, error.status, error.reason)
        try:
            with only_clip_errors(name):
                clip = self._source.open(self._numbers[name])
                return name, self._make(clip, generator_for(self._seed, *self._purpose, name))
        except ClipError as error:
            return Unread(name, error.status, error.reason)


def batches(examples: Examples, size: int, workers: int = 0, *, pinned: bool = False) -> Iterator[Batch]:
    """Yields the clips in their order.

    Args:
        examples: the clips
        size: clips of a batch; the last may have fewer
        workers: processes that read, 0 for none beside this one
        pinned: whether inputs go to memory from which a GPU copies beside its work
    """
    workers = min(workers, len(examples))
    options = {"prefetch_factor": 2, "worker_init_fn": _begin_worker} if workers else {}
    yield from DataLoader(examples, size, num_workers=workers, collate_fn=_together, pin_memory=pinned, **options)


def _begin_worker(_: int) -> None:
    import cv2

    cv2.setNumThreads(1)  # one thread in each of the processes


def _together(items: list[tuple[str, Inputs] | Unread]) -> Batch:
    unread = [item for item in items if isinstance(item, Unread)]
    read = [item for item in items if not isinstance(item, Unread)]
    streams = list(read[0][1]) if read else []
    return Batch(
        [name for name, _ in read],
        [len(next(iter(inputs.values()))) for _, inputs in read],
        {stream: torch.cat([inputs[stream] for _, inputs in read]) for stream in streams},
        unread,
    )

"""A piece: what a network is given at once of one clip, and how pieces share batches."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np


class Piece(NamedTuple):
    """A stretch of a clip, ready for the network.

    Attributes:
        inputs: what the family's ``forward`` wants of it, as NumPy arrays
        length: its size along the axis that is padded (samples, pictures, tokens)
        times: ``(t,)`` seconds or ``(t, 2)`` characters of the rows that are kept, see `FrameFeatures`; ``None`` where
            they are no frames: then the clip's vector is the mean of such rows, whatever its frames are
        keep: which rows of the network's output for the piece these are
    """

    inputs: Any
    length: int
    times: np.ndarray | None
    keep: slice = slice(None)


def arrange(lengths: list[int], *, capacity: int, slack: float) -> list[list[int]]:
    """Puts pieces of like length into batches, so that little is computed on padding.

    Args:
        lengths: of each piece
        capacity: largest padded length of a batch, summed over its pieces; a longer piece goes alone
        slack: how much longer than the shortest piece of a batch its longest may be; 1 for equal lengths only

    Returns:
        for each batch, which pieces it holds; longest first, so that memory runs out at once or never

    Examples:
        >>> arrange([10, 30, 10, 29], capacity=60, slack=1.1)
        [[1, 3], [0, 2]]
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        batch = batches[-1] if batches else []
        longest = lengths[batch[0]] if batch else 0
        if batch and longest * (len(batch) + 1) <= capacity and longest <= slack * lengths[index]:
            batch.append(index)
        else:
            batches.append([index])
    return batches


class Chunk(NamedTuple):
    """A stretch of a long sequence of frames: what is computed, and what of it is kept.

    Attributes:
        start: first frame computed
        stop: frame after the last one computed
        keep_start: first frame kept
        keep_stop: frame after the last one kept
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def keep(self) -> slice:
        """The frames kept, counted from the chunk's first."""
        return slice(self.keep_start - self.start, self.keep_stop - self.start)


def cut_chunks(frames: int, *, longest: int, context: int) -> Iterator[Chunk]:
    """Cuts a sequence into overlapping chunks whose kept middles cover each frame exactly once.

    A sequence of at most ``longest`` frames stays whole. Otherwise every chunk keeps ``longest - 2 * context`` frames
    and sees ``context`` more on either side, as far as there are any.

    Args:
        frames: length of the sequence
        longest: frames of the longest chunk
        context: frames seen beside the kept ones, less than half of ``longest``

    Examples:
        >>> [(c.start, c.stop, c.keep) for c in cut_chunks(10, longest=6, context=1)]
        [(0, 5, slice(0, 4, None)), (3, 9, slice(1, 5, None)), (7, 10, slice(1, 3, None))]
    """
    if frames <= longest:
        yield Chunk(0, frames, 0, frames)
        return
    step = longest - 2 * context
    for start in range(0, frames, step):
        stop = min(start + step, frames)
        yield Chunk(max(0, start - context), min(stop + context, frames), start, stop)

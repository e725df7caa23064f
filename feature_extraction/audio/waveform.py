"""Waveforms on their way into networks with a convolutional front: frame grid, normalisation, pieces."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from feature_extraction.piece import Piece, cut_chunks
from toolkit.errors import ClipError
from toolkit.media import Sound
from toolkit.status import Status

LONGEST = 30.0  # seconds a network is given at once
CONTEXT = 5.0  # seconds it hears before and after what is kept of a longer sound
_BLOCK = 1 << 20  # samples read at once of a sound that may lie in a file


class FrameGrid(NamedTuple):
    """Where the frames of a stack of convolutions without padding lie in the sound.

    Attributes:
        hop: samples from one frame to the next
        field: samples that one frame sees
    """

    hop: int
    field: int

    @classmethod
    def of(cls, kernels: Sequence[int], strides: Sequence[int]) -> "FrameGrid":
        """Returns the grid of convolutions with these kernels and strides, first to last.

        Examples:
            >>> FrameGrid.of([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2])
            FrameGrid(hop=320, field=400)
        """
        hop, field = 1, 1
        for kernel, stride in zip(kernels, strides, strict=True):
            field += (kernel - 1) * hop
            hop *= stride
        return cls(hop, field)

    def count(self, samples: int) -> int:
        """Returns how many frames so many samples give."""
        return max(0, (samples - self.field) // self.hop + 1)

    def times(self, start: int, stop: int, rate: int) -> np.ndarray:
        """Returns the seconds ``(stop - start,)`` at which the frames have the middle of what they see.

        Args:
            start: first frame
            stop: frame after the last
            rate: samples per second
        """
        return (np.arange(start, stop) * self.hop + self.field / 2) / rate


class Scale(NamedTuple):
    """What is taken off every sample, and what the rest is divided by."""

    offset: float = 0.0
    divisor: float = 1.0

    def apply(self, samples: np.ndarray) -> np.ndarray:
        """Returns samples ``(S,)`` float32 on the new scale; a copy, also where the old ones lie in a file."""
        return ((samples - np.float32(self.offset)) / np.float32(self.divisor)).astype(np.float32)


AS_RECORDED = Scale()


def unit_variance(samples: np.ndarray, epsilon: float = 1e-7) -> Scale:
    """Returns the scale on which a whole sound has mean 0 and variance 1, read block by block.

    Args:
        samples: ``(S,)``, at least one
        epsilon: added to the variance; by default as ``Wav2Vec2FeatureExtractor`` does
    """
    total = squares = 0.0
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK].astype(np.float64)
        total += block.sum()
        squares += block @ block
    mean = total / len(samples)
    variance = max(squares / len(samples) - mean**2, 0.0)
    return Scale(float(mean), float(np.sqrt(variance + epsilon)))


def overlapping_pieces(sound: Sound, grid: FrameGrid, scale: Scale) -> Iterator[Piece]:
    """Yields a sound whole, or from ``LONGEST`` seconds on in chunks that overlap by their context.

    Args:
        sound: any length
        grid: of the network
        scale: of the whole sound

    Raises:
        ClipError: the sound does not fill one frame; zeros in its place would be heard as silence
    """
    samples, rate = sound.samples, sound.rate
    frames = _count_frames(sound, grid)
    longest, context = grid.count(round(LONGEST * rate)), round(CONTEXT * rate / grid.hop)
    for chunk in cut_chunks(frames, longest=longest, context=context):
        # Samples after the last frame's are heard by normalisation over time alone, which shall hear them.
        stop = len(samples) if chunk.stop == frames else (chunk.stop - 1) * grid.hop + grid.field
        inputs = scale.apply(samples[chunk.start * grid.hop : stop])
        yield Piece(inputs, len(inputs), grid.times(chunk.keep_start, chunk.keep_stop, rate), chunk.keep)


def padded_pieces(sound: Sound, grid: FrameGrid, scale: Scale, seconds: float = 10.0) -> Iterator[Piece]:
    """Yields a sound as MERTools cuts it: side by side, the last piece filled up with zeros, all frames kept.

    Args:
        sound: any length; one no longer than a piece stays as it is
        grid: of the network; every piece has frames of its own, so that some sound between them is seen by none
        scale: of the whole sound
        seconds: length of a piece

    Raises:
        ClipError: the sound does not fill one frame
    """
    samples, rate = sound.samples, sound.rate
    frames, size = _count_frames(sound, grid), round(seconds * rate)
    if len(samples) <= size:
        yield Piece(scale.apply(samples), len(samples), grid.times(0, frames, rate))
        return
    for start in range(0, len(samples), size):
        inputs = np.zeros(size, np.float32)
        part = scale.apply(samples[start : start + size])
        inputs[: len(part)] = part
        yield Piece(inputs, size, start / rate + grid.times(0, grid.count(size), rate))


def _count_frames(sound: Sound, grid: FrameGrid) -> int:
    frames = grid.count(len(sound.samples))
    if not frames:
        raise ClipError(
            Status.TOO_SHORT,
            f"{1000 * sound.seconds:.1f} ms of sound, one frame needs {1000 * grid.field / sound.rate:g} ms",
        )
    return frames

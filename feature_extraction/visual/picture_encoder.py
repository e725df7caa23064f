"""What all encoders that look at one picture at a time share: groups of pictures, a row for each."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.visual.sampling import uniform_frames
from toolkit.errors import ClipError
from toolkit.status import Status

if TYPE_CHECKING:
    import torch

    from feature_extraction.faces.track import FaceTrack

_COPY_STEP = 1e-6  # seconds between copies of a frame, so that times keep increasing


class PictureEncoder(NetworkEncoder):
    """A family that makes a row of every picture, at the picture's time.

    The option ``frames=N`` looks at N frames evenly spread over the clip, as MERTools does for its largest models; as
    there, the row of the last frame of a shorter clip is repeated until there are N (it is computed once; the copies
    follow each other by a microsecond).
    """

    # More is no faster: in a transformer with 257 tokens, 16 pictures took 11 % more time each than 8, as tensors over
    # 32 MB seem to be fetched from the system anew with every layer. With 50 tokens it is all the same.
    capacity = 8

    @abstractmethod
    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns one picture as the network's input; it runs in threads.

        Args:
            crop: ``(height, width, 3)`` uint8 RGB
        """

    @abstractmethod
    def rows(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns a row ``(N, D)`` for each of N pictures.

        Args:
            pictures: what `picture` gave, stacked, on the device
        """

    def pieces(self, item: "FaceTrack") -> Iterator[Piece]:
        """Yields groups of pictures, no larger than what keeps a processor busy."""
        count = len(item.times)
        if not count:
            raise ClipError(Status.NO_FACE, "the face track has no frames")
        wanted = self.spec.option("frames")
        taken = uniform_frames(count, wanted) if wanted else np.arange(count)
        for group in np.array_split(taken, -(-len(taken) // self.capacity)):
            pictures = np.stack(self.parallel(self.picture, [item.crops[index] for index in group]))
            times = np.asarray(item.times[group], dtype=np.float64)
            if wanted and group[-1] == taken[-1]:
                copies = np.arange(1, wanted - len(taken) + 1)
                times = np.concatenate([times, times[-1] + _COPY_STEP * copies])
            yield Piece(pictures, len(group), times)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the rows of each piece, the last one as often as the piece has times left for it."""
        rows = self.rows(self.tensor(np.concatenate([piece.inputs for piece in pieces])))
        parts = rows.float().cpu().split([piece.length for piece in pieces])
        return [_repeat_last(part, len(piece.times)) for part, piece in zip(parts, pieces, strict=True)]


def _repeat_last(rows: "torch.Tensor", count: int) -> "torch.Tensor":
    import torch

    return torch.cat([rows, rows[-1:].expand(count - len(rows), -1)]) if count > len(rows) else rows

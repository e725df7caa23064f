"""What all encoders with a masked autoencoder share: its checkpoint, views of a clip, and windows over it."""

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from feature_extraction.checkpoint import seeded
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.visual.windows import consecutive
from toolkit.frame_sampling import FRAMES, view_frames

if TYPE_CHECKING:
    import torch

    from toolkit.models.masked_autoencoder import FineTuning

logger = logging.getLogger(__name__)


class AutoencoderEncoder(NetworkEncoder):
    """A masked autoencoder that sees or hears sixteen moments of a clip at once.

    A clip's vector is what its authors save as features: what the last layer reads (after ``fc_norm``), the mean over
    two views, the first and the last sixteen moments; a short clip is one view. Frames are of windows side by side,
    each row the mean of the tokens of one step of time, normalised by the same ``fc_norm``.

    A checkpoint of pretraining has no ``fc_norm``; then it begins as one that only normalises.

    Attributes:
        kind: name among the masked autoencoders of `toolkit.models`
        steps: rows of one window
    """

    capacity = 2 * FRAMES
    from_file = "pooling=own"
    kind: ClassVar[str]
    network: "FineTuning"
    steps: int

    @abstractmethod
    def count_steps(self, network: "FineTuning") -> int:
        """Returns how many rows the network gives of a window."""

    @abstractmethod
    def moments(self, item: Any) -> np.ndarray:
        """Returns the seconds ``(T,)`` of a clip's moments.

        Raises:
            ClipError: there are none
        """

    @abstractmethod
    def streams(self, item: Any, moments: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns what the network is given of some moments, by stream.

        Args:
            item: the clip
            moments: ``(16,)`` numbers from 0, rising; the last may come several times
        """

    def build(self) -> "torch.nn.Module":
        """Returns the network with its weights.

        Raises:
            UserError: the checkpoint cannot be read, or is of another network
        """
        from toolkit.models.checkpoint import load_checkpoint
        from toolkit.models.masked_autoencoder import autoencoders

        if self.spec.is_tiny:
            family = autoencoders.get(self.kind)
            with seeded():
                network = family.fine_tuning(family.sizes["tiny-test"], 0)
        else:
            path = Path(self.spec.checkpoint.removeprefix("file:"))
            loaded = load_checkpoint(path, form="fine-tuning", outputs=0, family=self.kind)
            network = loaded.network
            logger.info("%s", loaded.report)
        self.steps = self.count_steps(network)
        return network

    def pieces(self, item: Any) -> Iterator[Piece]:
        """Yields the views of a clip, and at frame level its windows."""
        times = self.moments(item)
        views = {choice.start: choice.frames for choice in view_frames(len(times), 1)}
        for moments in views.values():
            yield Piece(self.streams(item, moments), FRAMES, None)
        if self.level == "frame":
            for window in consecutive(times, length=FRAMES, tubelet=FRAMES // self.steps):
                yield Piece(self.streams(item, window.frames), FRAMES, window.times, window.keep)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the features ``(n, D)`` of each view and the rows ``(t, D)`` of each window.

        There is one vector of a view, or one for each picture if the checkpoint's network makes such.
        """
        views = [piece for piece in pieces if piece.times is None]
        windows = [piece for piece in pieces if piece.times is not None]
        features: Iterator[torch.Tensor] = iter(())
        if views:
            vectors = self.network(self.inputs(views)).features
            features = iter(vectors.reshape(len(views), -1, vectors.shape[-1]))
        rows = iter(self.network.over_time(self.inputs(windows)) if windows else ())
        return [next(features if piece.times is None else rows) for piece in pieces]

    def inputs(self, pieces: list[Piece]) -> dict[str, "torch.Tensor"]:
        """Returns a batch by stream, in the network's number type."""
        return {stream: self.stacked(pieces, stream) for stream in pieces[0].inputs}

    def stacked(self, pieces: list[Piece], stream: str) -> "torch.Tensor":
        """Returns one stream of a batch."""
        return self.tensor(np.stack([piece.inputs[stream] for piece in pieces]))

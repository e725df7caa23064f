"""The first wav2vec, from fairseq."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_extraction.audio.waveform import AS_RECORDED, FrameGrid, overlapping_pieces
from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import load_into, read_state, seeded, weights_file
from feature_extraction.encoder import register
from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from toolkit.media import Sound

if TYPE_CHECKING:
    import torch


class _Meter:
    """Stands in for the meters of training that fairseq leaves in its files; nothing of theirs is run."""


# What the released file may hold besides tensors: the command line of its training, and those meters.
_HARMLESS: list[Any] = [
    argparse.Namespace,
    *((_Meter, f"fairseq.meters.{name}") for name in ("AverageMeter", "TimeMeter", "StopwatchMeter")),
]

TINY = EncoderSpec(
    name="tiny-wav2vec",
    modality="audio",
    family="wav2vec",
    checkpoint="tiny",
    sample_rate=16000,
    options=(("states", "context"),),
    dim=8,
)


@register
class Wav2VecEncoder(NetworkEncoder):
    """Frames of the first wav2vec "large", 512 numbers every 10 ms.

    The option ``states`` says which: ``encoder``, what the convolutions make of 29 ms, or ``context``, what the
    aggregator makes of these 29 ms and the 0.78 s before them. The times of both are the middles of the 29 ms. Sounds
    of up to 30 s are computed whole, longer ones in chunks with 5 s of context on either side. A sound shorter than
    one frame, 29 ms, is ``too_short``.
    """

    family = "wav2vec"
    specs = (*catalogue("audio", "wav2vec"), TINY)
    capacity = 16 * 16000  # samples

    def build(self) -> "torch.nn.Module":
        """Returns the network with the released weights, those that predicted the future in training left out."""
        from toolkit.models.wav2vec import Wav2Vec, Wav2VecShape

        shape = Wav2VecShape(width=self.spec.dim) if self.spec.is_tiny else Wav2VecShape()
        self._grid = FrameGrid.of(shape.kernels, shape.strides)
        with seeded():
            network = Wav2Vec(shape)
        if not self.spec.is_tiny:
            path = weights_file(self.spec)
            state = read_state(path, _HARMLESS)
            wanted = {name: tensor for name, tensor in state.items() if not name.startswith("wav2vec_predictions.")}
            load_into(network, wanted, path)
        return network

    @property
    def equal_lengths(self) -> bool:
        """True: normalisation runs over time."""
        return True

    def pieces(self, item: Sound) -> Iterator[Piece]:
        """Yields stretches of the sound as recorded; inputs are ``(samples,)``."""
        return overlapping_pieces(item, self._grid, AS_RECORDED)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns ``(frames, 512)`` for each piece."""
        waveforms = self.tensor(np.stack([piece.inputs for piece in pieces]))
        return list(self.network(waveforms, context=self.spec.option("states") == "context"))

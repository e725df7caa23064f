"""The first wav2vec (Schneider et al. 2019): convolutions over the waveform, then causal ones over their frames."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Wav2VecShape(NamedTuple):
    """Sizes of the network; the standard ones are those of wav2vec "large".

    Attributes:
        width: channels of every layer
        kernels: of the encoder's layers, in samples of the layer below
        strides: of the encoder's layers; their product, 160, is 10 ms at 16 kHz
        context_kernels: of the aggregator's layers, in frames
    """

    width: int = 512
    kernels: Sequence[int] = (10, 8, 4, 4, 4, 1, 1)
    strides: Sequence[int] = (5, 4, 2, 2, 2, 1, 1)
    context_kernels: Sequence[int] = tuple(range(2, 14))


class Wav2Vec(nn.Module):
    """Frames of the encoder (``z`` in the paper) and of the aggregator, which looks back 0.8 s (``c``).

    Layers are named as in fairseq, whose ``wav2vec_large.pt`` loads by key; what only training needs is left out.
    Normalisation runs over channels and time, so that padding would change the numbers: waveforms of a batch have one
    length.

    Args:
        shape: sizes of the network
    """

    def __init__(self, shape: Wav2VecShape = Wav2VecShape()) -> None:  # noqa: B008 -- a tuple, nobody can change it
        super().__init__()
        self.feature_extractor = _Encoder(shape)
        self.feature_aggregator = _Aggregator(shape)

    def forward(self, waveforms: Tensor, *, context: bool) -> Tensor:
        """Returns frames ``(batch, time, width)``.

        Args:
            waveforms: ``(batch, samples)`` in [-1, 1], as recorded
            context: those of the aggregator, otherwise of the encoder
        """
        frames = self.feature_extractor(waveforms[:, None])
        return (self.feature_aggregator(frames) if context else frames).transpose(1, 2)


class _Encoder(nn.Module):
    """Convolution, normalisation, ReLU; at the end the logarithm of 1 + x."""

    def __init__(self, shape: Wav2VecShape) -> None:
        super().__init__()
        channels = [1] + [shape.width] * len(shape.kernels)
        self.conv_layers = nn.ModuleList(
            nn.Sequential(nn.Conv1d(below, shape.width, kernel, stride, bias=False), *_finish(shape.width))
            for below, kernel, stride in zip(channels, shape.kernels, shape.strides, strict=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.conv_layers:
            x = layer(x)
        return torch.log1p(x)  # of fairseq's absolute value, which ReLU has made so


class _Aggregator(nn.Module):
    """Causal convolutions, their first input repeated into the past, each with a way around it."""

    def __init__(self, shape: Wav2VecShape) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            nn.Sequential(
                nn.ReplicationPad1d((kernel - 1, 0)),
                nn.Conv1d(shape.width, shape.width, kernel),
                *_finish(shape.width),
            )
            for kernel in shape.context_kernels
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.conv_layers:
            x = (x + layer(x)) * 0.5**0.5
        return x


def _finish(width: int) -> tuple[nn.Module, ...]:
    """Returns what follows a convolution; where fairseq has dropout stands a module that does nothing."""
    return nn.Identity(), nn.GroupNorm(1, width), nn.ReLU(inplace=True)

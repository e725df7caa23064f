"""The attention fusion of the MER2023 to MER2026 baselines."""

from collections.abc import Mapping

import torch
from torch import Tensor

from toolkit.models.layers import VectorEncoder, encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.network import Features, Network, networks


@networks.add("attention")
class Attention(Network):
    """One encoder per modality, one score per modality from all of them together, the weighted sum of the encoded.

    As in the reference (MERTools, MER2024 ``attention.py``) the scores are used as they are, without a softmax. A
    modality that a clip lacks is taken out: its encoding is zero where the scores are made, and its term is not in
    the sum.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of all layers
        dropout: probability, on the input of each encoder and of the layers that make the scores
        frames: reads `Sequences` through an LSTM in place of ``(batch, dim)`` vectors
    """

    levels = ("utterance", "frame")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.3,
        frames: bool = False,
    ) -> None:
        super().__init__(inputs, classes, hidden)
        self.stacks = not frames
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.attention = VectorEncoder(len(self.inputs) * hidden, hidden, dropout)
        self.scores = Linear(hidden, len(self.inputs))

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the weighted sum of the encoded modalities, ``(batch, hidden)``."""
        encoded = encode(self.encoders, features, present)
        scores = self.scores(self.attention(torch.cat(encoded, dim=-1)))  # (B, M)
        return (torch.stack(encoded, dim=-2) * scores[..., None]).sum(dim=-2)

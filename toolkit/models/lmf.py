"""Low-rank multimodal fusion: the tensor of all products between modalities, never written out."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.layers import encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.network import Features, Network, networks, row

USUAL = 3  # inputs, in the reference


@networks.add("lmf")
class LowRankFusion(Network):
    """A linear map of the encoded modalities' outer product (`TensorFusion`) as a weighted sum of low-rank ones.

    Liu, Shen, Lakshminarasimhan, Liang, Zadeh and Morency, Efficient Low-rank Multimodal Fusion with Modality-Specific
    Factors, ACL 2018, arXiv 1806.00064, in the form of MERTools (MER2024, ``lmf.py``). Each modality, with a 1 put
    before it, is mapped to ``rank`` vectors; those of all modalities are multiplied number by number and then summed,
    weighted, over the rank. The 1 meets a column of the factor that is nothing but a bias, so a factor is a `Linear`
    here. Any number of modalities: of one that a clip lacks the 1 alone is left, so all products of the others stay.

    The reference always has three inputs, and its factors start so small that each further one makes products tens of
    times smaller: with six, gradients are lost below Adam's epsilon and the weight decay, and nothing is learnt. Here
    the factors of more than three inputs start larger, so that a product is as large as one of three of theirs; of up
    to three they start as theirs do.

    The reference makes a dropout after the fusion and does not use it; there is none here. Its frame encoder depends
    on how much a clip was padded, ours does not (`SequenceEncoder`).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of the encoders; the fused representation is half as wide
        dropout: probability, on the input of each encoder (of frames, on its last state)
        rank: number of products that are summed
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
        rank: int = 4,
        frames: bool = False,
    ) -> None:
        width = hidden // 2
        super().__init__(inputs, classes, width)
        if rank < 1:
            raise ValueError(f"a rank of {rank}, expected 1 or more")
        self.stacks = not frames
        self.rank = rank
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.factors = nn.ModuleList(Linear(hidden, rank * width) for _ in self.inputs)
        self.mixture = nn.Parameter(torch.randn(rank) * math.sqrt(2 / (rank + 1)))
        self.bias = nn.Parameter(torch.zeros(width))
        # The reference's start: Xavier's normal, by torch's rule for the shape (rank, 1 + hidden, width). The power
        # keeps the product over all inputs as large as that over the usual three.
        scale = math.sqrt(2 / ((1 + hidden) * width + rank * width)) ** min(1, USUAL / len(self.inputs))
        for factor in self.factors:
            nn.init.normal_(factor.weight, std=scale)
            nn.init.normal_(factor.bias, std=scale)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the weighted sum over the rank, ``(batch, hidden // 2)``."""
        encoded = encode(self.encoders, features, present)
        first, *others = (factor(values) for factor, values in zip(self.factors, encoded, strict=True))  # (B, R * W)
        product = first
        for other in others:
            product = product * other
        product = product.unflatten(-1, (self.rank, -1))  # (B, R, W)
        return (product * row(self.mixture)[..., None]).sum(dim=-2) + row(self.bias)

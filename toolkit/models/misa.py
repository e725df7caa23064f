"""Modality-invariant and modality-specific representations (MISA)."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.layer_norm import LayerNorm
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.losses import central_moment_discrepancy, difference, loss_wanted, squared_error
from toolkit.models.network import Features, Fused, Network, networks
from toolkit.models.token_encoder import TokenEncoder

HEADS = 2


@networks.add("misa")
class InvariantAndSpecific(Network):
    """Each modality split into what is its own and what all share; a transformer over these tokens.

    Hazarika, Zimmermann and Poria, MISA: Modality-Invariant and -Specific Representations for Multimodal Sentiment
    Analysis, ACM Multimedia 2020, arXiv 2005.03545, in the form of MERTools (MER2024, ``misa.py``). Its own loss has
    three terms: all representations of a clip should differ (summed over the pairs), the shared ones should be
    distributed alike (mean over the pairs), and a modality should be restored from its two (mean over the modalities).

    With M modalities there are 2 M tokens. Those of a modality that a clip lacks are not looked at by the others, are
    zero in what is fused, and are in none of the terms. The transformer's dropout is 0.1, whatever ``dropout`` is, as
    in the reference, which leaves it at torch's default. The reference gives NaN for the gradients of a batch of one
    (`central_moment_discrepancy`), ours are finite. Its frame encoder depends on how much a clip was padded, ours does
    not (`SequenceEncoder`).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of the encoders and of every token, an even number; the fused representation is half as wide
        dropout: probability, on the input of each encoder (of frames, on its last state) and in the fusion
        similarity_weight: of the shared representations' discrepancy
        difference_weight: of what the representations of a clip say alike
        restoration_weight: of the error of the restored modalities
        frames: reads `Sequences` through an LSTM in place of ``(batch, dim)`` vectors
    """

    levels = ("utterance", "frame")
    scalars = ("dropout", "similarity_weight", "difference_weight", "restoration_weight")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.3,
        similarity_weight: float = 0.1,
        difference_weight: float = 0.1,
        restoration_weight: float = 0.1,
        frames: bool = False,
    ) -> None:
        super().__init__(inputs, classes, hidden // 2)
        self.stacks = not frames
        count = len(self.inputs)
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.projections = nn.ModuleList(
            nn.Sequential(Linear(hidden, hidden), nn.ReLU(), LayerNorm(hidden)) for _ in self.inputs
        )
        self.private = nn.ModuleList(Linear(hidden, hidden) for _ in self.inputs)
        self.shared = Linear(hidden, hidden)
        self.restore = nn.ModuleList(Linear(hidden, hidden) for _ in self.inputs)
        self.transformer = TokenEncoder(hidden, HEADS)
        self.fusion = nn.Sequential(
            Linear(2 * count * hidden, count * hidden),
            Dropout(dropout),
            nn.ReLU(),
            Linear(count * hidden, hidden // 2),
        )
        self.register_buffer("similarity_weight", torch.tensor(float(similarity_weight)), persistent=False)
        self.register_buffer("difference_weight", torch.tensor(float(difference_weight)), persistent=False)
        self.register_buffer("restoration_weight", torch.tensor(float(restoration_weight)), persistent=False)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor | Fused:
        """Returns what is made of the tokens, ``(batch, hidden // 2)``, with the losses if `loss_wanted`."""
        encoded = encode(self.encoders, features, present)
        projected = [projection(values) for projection, values in zip(self.projections, encoded, strict=True)]
        private = [_sigmoid(linear(values)) for linear, values in zip(self.private, projected, strict=True)]
        shared = [_sigmoid(self.shared(values)) for values in projected]
        masks = list(present.values())
        tokens = torch.stack([*private, *shared], dim=-2)  # (B, 2 M, H)
        mask = torch.stack([*masks, *masks], dim=-1)  # (B, 2 M)
        mixed = torch.where(mask[..., None], self.transformer(tokens, mask), 0)
        hidden = self.fusion(mixed.flatten(-2))
        return Fused(hidden, self._loss(projected, private, shared, masks)) if loss_wanted() else hidden

    def _loss(
        self, projected: Sequence[Tensor], private: Sequence[Tensor], shared: Sequence[Tensor], masks: Sequence[Tensor]
    ) -> Tensor:
        """Returns the weighted sum of the three losses, ``()``; all arguments by modality."""
        pairs = list(combinations(range(len(masks)), 2))
        unlike = list(zip(private, shared, masks, strict=True))
        unlike += [(private[i], private[j], masks[i] & masks[j]) for i, j in pairs]
        restored = [
            (linear(own + common), target, mask)
            for linear, own, common, target, mask in zip(self.restore, private, shared, projected, masks, strict=True)
        ]
        loss = self.difference_weight * difference(*_columns(unlike)).sum(dim=0)
        loss = loss + self.restoration_weight * squared_error(*_columns(restored)).mean(dim=0)
        if pairs:
            alike = [(shared[i], shared[j], masks[i], masks[j]) for i, j in pairs]
            loss = loss + self.similarity_weight * central_moment_discrepancy(*_columns(alike)).mean(dim=0)
        return loss


def _columns(rows: Sequence[tuple[Tensor, ...]]) -> list[Tensor]:
    """Returns the arguments of a loss for many pairs at once, with an axis of pairs in front."""
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def _sigmoid(values: Tensor) -> Tensor:
    """Returns the logistic function.

    By the hyperbolic tangent: `torch.sigmoid` rounds otherwise at the end of a tensor than within it, so that a network
    would not be the same to the last bit alone and in a stack.
    """
    return (values / 2).tanh() / 2 + 0.5

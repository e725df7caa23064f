"""One layer of a transformer over a handful of tokens."""

import math

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.layer_norm import LayerNorm
from toolkit.models.linear import Linear


class TokenEncoder(nn.Module):
    """Self-attention among tokens and two layers on each of them, both added to their input and then normalised.

    The layer of Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv 1706.03762, with the numbers, the
    defaults and the start of `torch.nn.TransformerEncoderLayer`, which cannot stack.

    Args:
        dim: size of a token
        heads: number of attention heads, a divisor of ``dim``
        inner: width between the two layers
        dropout: probability, on the attention weights, on the inner layer and on what is added

    Raises:
        ValueError: ``dim`` does not divide among the heads
    """

    def __init__(self, dim: int, heads: int, *, inner: int = 2048, dropout: float = 0.1) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"tokens of {dim} numbers do not divide among {heads} heads, expected a multiple")
        self.heads = heads
        self.project, self.merge = Linear(dim, 3 * dim), Linear(dim, dim)
        self.widen, self.narrow = Linear(dim, inner), Linear(inner, dim)
        self.norms = nn.ModuleList(LayerNorm(dim) for _ in range(2))
        self.dropout = Dropout(dropout)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        nn.init.zeros_(self.merge.bias)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Returns tokens of the same shape.

        Args:
            tokens: ``(..., tokens, dim)``
            mask: ``(..., tokens)``, false where a token is not to be looked at; what becomes of it means nothing
        """
        tokens = self.norms[0](tokens + self.dropout(self._attend(tokens, mask)))
        inner = self.dropout(self.widen(tokens).relu_())  # in place: the widest tensor by far
        return self.norms[1](tokens + self.dropout(self.narrow(inner)))

    def _attend(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Returns what each token finds among all of them, ``(..., tokens, dim)``."""
        parts = self.project(tokens).unflatten(-1, (3, self.heads, -1))  # (..., T, 3, heads, D / heads)
        query, key, value = (part.transpose(-2, -3) for part in parts.unbind(dim=-3))  # (..., heads, T, D / heads)
        scores = query @ key.mT / math.sqrt(query.shape[-1])  # (..., heads, T, T)
        # The lowest number, not minus infinity: a clip without any token must give numbers, if meaningless ones.
        scores = scores.masked_fill(~mask[..., None, None, :], torch.finfo(scores.dtype).min)
        found = self.dropout(scores.softmax(dim=-1)) @ value
        return self.merge(found.transpose(-2, -3).flatten(-2))

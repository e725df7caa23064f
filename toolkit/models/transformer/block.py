"""The blocks of the masked autoencoders."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.transformer.attention import Attention, CrossAttention
from toolkit.models.transformer.drop_path import DropPath

EPSILON = 1e-6  # of all layer normalisations
EXPANSION = 4  # width of a feed-forward layer, in units of a token's


def layer_norm(dim: int) -> nn.LayerNorm:
    """Returns the normalisation that all of these networks use."""
    return nn.LayerNorm(dim, eps=EPSILON)


class FeedForward(nn.Module):
    """Two layers with a Gaussian error linear unit between them.

    Args:
        dim: width of a token
        hidden: width between the layers
        outputs: width of what comes out, ``dim`` if None
    """

    def __init__(self, dim: int, hidden: int, outputs: int | None = None) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, outputs or dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(..., dim)`` to ``(..., outputs)``."""
        hidden = self.fc1(tokens)
        # In place where no gradient needs what was there: another tensor of that size costs more than the function,
        # as the memory of both is given back to the system after every layer and asked for again.
        hidden = functional.gelu(hidden) if hidden.requires_grad else torch.ops.aten.gelu_(hidden)
        return self.fc2(hidden)


class Block(nn.Module):
    """Self-attention and feed-forward layers, each normalised before and added to what it reads.

    Args:
        dim: width of a token
        heads: attention heads
        drop_path: probability of leaving out a branch while training
        layer_scale: what the branches are multiplied by at first (``gamma_1``, ``gamma_2``, learned), 0 for nothing
    """

    def __init__(self, dim: int, heads: int, *, drop_path: float = 0.0, layer_scale: float = 0.0) -> None:
        super().__init__()
        self.gamma_1, self.gamma_2 = _scale(dim, layer_scale), _scale(dim, layer_scale)
        self.norm1 = layer_norm(dim)
        self.attn = Attention(dim, heads)
        self.drop_path = DropPath(drop_path)
        self.norm2 = layer_norm(dim)
        self.mlp = FeedForward(dim, EXPANSION * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to the same shape."""
        tokens = tokens + self.drop_path(_scaled(self.attn(self.norm1(tokens)), self.gamma_1))
        return tokens + self.drop_path(_scaled(self.mlp(self.norm2(tokens)), self.gamma_2))


class CrossSelfBlock(Block):
    """A `Block` that reads a context first.

    Args:
        dim: width of a token
        heads: attention heads
        context_dim: width of a context token, ``dim`` if None
        drop_path: probability of leaving out a branch while training
        layer_scale: as in `Block`; here ``gamma_0`` is that of the context
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        context_dim: int | None = None,
        drop_path: float = 0.0,
        layer_scale: float = 0.0,
    ) -> None:
        super().__init__(dim, heads, drop_path=drop_path, layer_scale=layer_scale)
        self.gamma_0 = _scale(dim, layer_scale)
        self.cross_norm1 = layer_norm(dim)
        self.cross_norm2 = layer_norm(context_dim or dim)
        self.cross_attn = CrossAttention(dim, heads, context_dim)

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to the same shape, ``context`` being ``(batch, others, context_dim)``."""
        read = self.cross_attn(self.cross_norm1(tokens), self.cross_norm2(context))
        return super().forward(tokens + self.drop_path(_scaled(read, self.gamma_0)))


def _scale(dim: int, value: float) -> nn.Parameter | None:
    return nn.Parameter(torch.full((dim,), value)) if value else None


def _scaled(branch: Tensor, scale: Tensor | None) -> Tensor:
    return branch if scale is None else scale * branch

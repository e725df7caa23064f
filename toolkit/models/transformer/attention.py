"""The two attention layers of the masked autoencoders, in the layouts of their checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Self-attention from one matrix ``qkv``; queries and values have a bias, keys have none.

    Args:
        dim: width of a token
        heads: number of heads, a divisor of ``dim``

    Raises:
        ValueError: heads do not divide the width
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        _check(dim, heads)
        self.heads = heads
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to the same shape."""
        bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        projected = functional.linear(tokens, self.qkv.weight, bias)
        query, key, value = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, N, d)
        return self.proj(_mixed(query, key, value))


class CrossAttention(nn.Module):
    """Attention from one matrix ``q`` on the tokens and one ``kv`` on a context, biases as in `Attention`.

    Args:
        dim: width of a token
        heads: number of heads, a divisor of ``dim``
        context_dim: width of a context token, ``dim`` if None

    Raises:
        ValueError: heads do not divide the width
    """

    def __init__(self, dim: int, heads: int, context_dim: int | None = None) -> None:
        super().__init__()
        _check(dim, heads)
        self.heads = heads
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.q = nn.Linear(dim, dim, bias=False)
        self.kv = nn.Linear(context_dim or dim, 2 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, context: Tensor | None = None) -> Tensor:
        """Returns what the tokens read from the context, ``(batch, tokens, dim)``.

        Args:
            tokens: ``(batch, tokens, dim)``
            context: ``(batch, others, context_dim)``; the tokens themselves if None
        """
        query = functional.linear(tokens, self.q.weight, self.q_bias).unflatten(2, (self.heads, -1)).transpose(1, 2)
        bias = torch.cat([torch.zeros_like(self.v_bias), self.v_bias])
        projected = functional.linear(tokens if context is None else context, self.kv.weight, bias)
        key, value = projected.unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, M, d)
        return self.proj(_mixed(query, key, value))


def _check(dim: int, heads: int) -> None:
    if heads < 1 or dim % heads:
        raise ValueError(f"{dim} numbers of a token cannot be dealt out evenly to {heads} attention heads")


def _mixed(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Returns ``(batch, tokens, dim)`` from ``(batch, heads, tokens, dim / heads)``."""
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)

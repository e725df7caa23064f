"""The cross-modal transformer of MulT: one sequence reads another, on the real lengths of every clip."""

import math

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.linear import Linear
from toolkit.models.network import Sequences


def visible(target: Sequences, source: Sequences) -> Tensor:
    """Returns ``(batch, target time, source time)`` boolean, true where a target frame may look at a source frame.

    Frame ``j`` of ``source`` frames is seen by frame ``i`` of ``target`` ones iff ``j <= i + |target - source|``: the
    future is hidden, less what one of them is longer by (MulT's future mask). Both are a clip's own real lengths, in
    MERTools those of the padded batch.
    """
    rows = torch.arange(target.values.shape[1], device=target.values.device)
    columns = torch.arange(source.values.shape[1], device=target.values.device)
    ahead = (target.lengths - source.lengths).abs()[:, None, None]
    return (columns <= rows[:, None] + ahead) & source.mask[:, None]


class MultiheadAttention(nn.Module):
    """Scaled dot-product attention of several heads (Vaswani et al., NeurIPS 2017, arXiv:1706.03762).

    `torch.nn.MultiheadAttention` draws its dropout from the global generator; this one draws it from `Dropout`.

    Args:
        dim: of what it reads and returns
        heads: among which ``dim`` is divided
        dropout: probability of dropping an attention weight

    Raises:
        ValueError: the heads do not divide ``dim``
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ValueError(f"{dim} numbers cannot be divided among {heads} heads")
        self.heads = heads
        self.query, self.key_value = Linear(dim, dim), Linear(dim, 2 * dim)
        self.dropout, self.output = Dropout(dropout), Linear(dim, dim)
        _start(self.query, self.key_value, self.output)
        bound = math.sqrt(1.5 / dim)  # Glorot's for queries, keys and values as one matrix, as in the reference
        for linear in (self.query, self.key_value):
            nn.init.uniform_(linear.weight, -bound, bound)

    def forward(self, targets: Tensor, sources: Tensor, seen: Tensor) -> Tensor:
        """Returns ``(batch, target time, dim)``.

        Args:
            targets: ``(batch, target time, dim)``
            sources: ``(batch, source time, dim)``
            seen: ``(batch, target time, source time)`` of `visible`; what a frame that sees nothing gets is finite and
                means nothing
        """
        query = self._divide(self.query(targets))  # (B, heads, Tt, dim / heads)
        key, value = (self._divide(part) for part in self.key_value(sources).chunk(2, dim=-1))
        scores = (query / math.sqrt(query.shape[-1])) @ key.mT  # (B, heads, Tt, Ts)
        # The lowest finite number, so that a row without any true entry has no NaN in its gradient.
        scores = scores.masked_fill(~seen[:, None], torch.finfo(scores.dtype).min)
        read = self.dropout(scores.softmax(-1)) @ value  # (B, heads, Tt, dim / heads)
        return self.output(read.transpose(1, 2).flatten(2))

    def _divide(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class CrossModalLayer(nn.Module):
    """Attention, then two Linear with a ReLU, each on normalised numbers and added to what it read.

    Target and source are normalised by the same weights, as in the reference.

    Args:
        dim: of both sequences
        heads: of the attention
        dropout: probability, of attention weights, after the ReLU and on both sums
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiheadAttention(dim, heads, dropout)
        self.wide, self.narrow = Linear(dim, 4 * dim), Linear(4 * dim, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.dropouts = nn.ModuleList(Dropout(dropout) for _ in range(3))
        _start(self.wide, self.narrow)

    def forward(self, targets: Tensor, sources: Tensor, seen: Tensor) -> Tensor:
        """Returns the targets, ``(batch, target time, dim)``, with what they read of the sources.

        Args:
            targets: ``(batch, target time, dim)``
            sources: ``(batch, source time, dim)``
            seen: ``(batch, target time, source time)``; a clip whose frames see nothing at all reads nothing
        """
        read = self.attention(self.norms[0](targets), self.norms[0](sources), seen)
        read = torch.where(seen.any(2).any(1)[:, None, None], read, torch.zeros_like(read))
        targets = targets + self.dropouts[0](read)
        wide = self.dropouts[1](self.wide(self.norms[1](targets)).relu())
        return targets + self.dropouts[2](self.narrow(wide))


class CrossModalTransformer(nn.Module):
    """A stack of `CrossModalLayer`, without positions, under the future mask of `visible` (Tsai et al., ACL 2019,
    arXiv:1906.00295).

    Every layer reads the same source, which no layer changes. Without a source each layer reads its own input.

    Args:
        dim: of both sequences
        heads: of the attention
        layers: number of layers
        dropout: probability, on both sequences as well
    """

    def __init__(self, dim: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a transformer of {layers} layers, expected 1 or more")
        self.scale = math.sqrt(dim)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(CrossModalLayer(dim, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def forward(self, target: Sequences, source: Sequences | None = None) -> Tensor:
        """Returns ``(batch, target time, dim)``, meaningless beyond the real frames.

        Args:
            target: ``(batch, target time, dim)``
            source: ``(batch, source time, dim)``; a clip whose source has no frames reads nothing
        """
        seen = visible(target, source or target)
        values = self.dropout(self.scale * target.values)
        fixed = None if source is None else self.dropout(self.scale * source.values)
        for layer in self.layers:
            values = layer(values, values if fixed is None else fixed, seen)
        return self.norm(values)


def _start(*linears: Linear) -> None:
    """Gives layers Glorot's initial weights and no bias, as in the reference."""
    for linear in linears:
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)

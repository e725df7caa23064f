"""The decoder: from the tokens seen to the numbers of those hidden."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from toolkit.models.transformer.block import Block, CrossSelfBlock, layer_norm
from toolkit.models.transformer.initial import xavier
from toolkit.models.transformer.masks import Split
from toolkit.models.transformer.positions import sinusoids


class DecoderSize(NamedTuple):
    """Sizes of a decoder; the standard ones are those of all published base models.

    Attributes:
        dim: width of a token
        depth: number of blocks
        heads: attention heads
        layer_scale: of the blocks, see `Block`
    """

    dim: int = 384
    depth: int = 4
    heads: int = 6
    layer_scale: float = 0.0


class Decoder(nn.Module):
    """Blocks over the tokens seen and one learned token for each of those hidden, in this order.

    Args:
        size: of the blocks
        tokens: number of tokens, seen or hidden
        outputs: numbers to predict of each hidden one
        skips: every block but the first reads a context of its own before (HiCMAE)
    """

    def __init__(self, size: DecoderSize, tokens: int, outputs: int, *, skips: bool = False) -> None:
        super().__init__()
        self.register_buffer("positions", sinusoids(tokens, size.dim), persistent=False)
        self.blocks = nn.ModuleList(
            (CrossSelfBlock if skips and index else Block)(size.dim, size.heads, layer_scale=size.layer_scale)
            for index in range(size.depth)
        )
        self.norm = layer_norm(size.dim)
        self.head = nn.Linear(size.dim, outputs)
        xavier(self)

    def forward(self, visible: Tensor, mask_token: Tensor, split: Split, skips: Sequence[Tensor] = ()) -> Tensor:
        """Returns ``(batch, masked, outputs)``, the hidden tokens in their order.

        Args:
            visible: ``(batch, visible, dim)``, positions not yet added
            mask_token: ``(1, 1, dim)``
            split: which tokens are which
            skips: what the blocks after the first read, ``(batch, visible, dim)`` each, the last block's first;
                positions are added to them too
        """
        seen = self.positions[split.visible]
        tokens = torch.cat([visible + seen, mask_token + self.positions[split.masked]], dim=1)
        contexts = [[], *([skip + seen] for skip in reversed(skips))] if skips else [[]] * len(self.blocks)
        for block, context in zip(self.blocks, contexts, strict=True):
            tokens = block(tokens, *context)
        return self.head(self.norm(tokens[:, -split.masked.shape[1] :]))

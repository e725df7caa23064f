"""TPSBT: temporal pyramid and spatial bottleneck transformer, what SVFAP is made of (Sun et al. 2024)."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.transformer.block import Block, CrossSelfBlock, FeedForward, layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.drop_path import drop_rates

SCORING_WIDTH = 128  # of the layer that scores sites, in every size


class TpsbtSize(NamedTuple):
    """Sizes of the network, those of the base model unless said otherwise.

    Attributes:
        shape: of the clips
        dim: width of a token
        depths: blocks of each stage; empty where a checkpoint doesn't say
        bottlenecks: bottleneck tokens of a step of time, in each stage after the first
        heads: attention heads
        factor: by how much each stage after the first shortens time
        layer_scale: what each branch is multiplied by at first, 0 for no such factor
        decoder: sizes of the decoder
    """

    shape: ClipShape = ClipShape()
    dim: int = 512
    depths: tuple[int, ...] = (12, 6, 3)
    bottlenecks: tuple[int, ...] = (8, 8)
    heads: int = 8
    factor: int = 2
    layer_scale: float = 0.0
    decoder: DecoderSize = DecoderSize()


class TemporalDownsampling(nn.Conv1d):
    """Makes one token of a few that follow each other at a site.

    It is a convolution whose step is its kernel and is stored as one; computed as a matrix product, for which sites
    and time need not change places.

    Args:
        dim: width of a token
        factor: how many become one
    """

    def __init__(self, dim: int, factor: int) -> None:
        super().__init__(dim, dim, kernel_size=factor, stride=factor)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, steps, sites, dim)`` to ``(batch, steps / factor, sites, dim)``."""
        groups = tokens.unflatten(1, (-1, *self.stride)).transpose(2, 3).flatten(3)  # (B, t, sites, factor * dim)
        return functional.linear(groups, self.weight.transpose(1, 2).flatten(1), self.bias)


class SpatialDownsampling(nn.Module):
    """Sums up each step of time in a few tokens, each a mean over the sites weighted by what stands there.

    The published equation leaves out that tokens are normalised before they are scored, and that the weights of a
    mean are positive and sum to one; the released code does both.

    Args:
        dim: width of a token
        bottlenecks: how many tokens a step becomes
    """

    def __init__(self, dim: int, bottlenecks: int) -> None:
        super().__init__()
        self.norm = layer_norm(dim)
        self.mlp = FeedForward(dim, SCORING_WIDTH, bottlenecks)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, steps, sites, dim)`` to ``(batch, steps, bottlenecks, dim)``."""
        weights = self.mlp(self.norm(tokens)).softmax(dim=2)  # (B, steps, sites, bottlenecks)
        return weights.mT @ tokens


class Tpsbt(nn.Module):
    """A network with stages of blocks, each after the first at a coarser time.

    Of such a stage all blocks but the last work on the bottleneck tokens, which read the tokens of all sites; in the
    last, the reverse block, the tokens of all sites read the bottleneck tokens.

    The two forms of SVFAP have these layers beside others of theirs, under the same names, and so derive from this.
    """

    def add_stages(self, size: TpsbtSize, *, drop_path: float = 0.0) -> None:
        """Adds the layers.

        Args:
            size: of the network
            drop_path: of the last block; those before have less, in even steps

        Raises:
            ValueError: the stages do not fit each other or the clip
        """
        _check(size)
        self.depths = size.depths
        self.blocks = nn.ModuleList(
            (CrossSelfBlock if index >= size.depths[0] else Block)(
                size.dim, size.heads, drop_path=rate, layer_scale=size.layer_scale
            )
            for index, rate in enumerate(drop_rates(drop_path, sum(size.depths)))
        )
        self.temporal_downsamples = nn.ModuleList(TemporalDownsampling(size.dim, size.factor) for _ in size.bottlenecks)
        self.spatial_downsamples = nn.ModuleList(SpatialDownsampling(size.dim, count) for count in size.bottlenecks)

    def stages(self, tokens: Tensor, context: Tensor | None = None) -> Iterator[Tensor]:
        """Yields what each stage makes of tokens, ``(batch, steps, sites, dim)``, later ones with fewer steps.

        Args:
            tokens: ``(batch, steps, sites, dim)``, the same sites at every step
            context: what the reverse blocks read, ``(batch, others, dim)``; the bottleneck tokens if None
        """
        blocks, everything = iter(self.blocks), tokens.flatten(1, 2)
        for _ in range(self.depths[0]):
            everything = next(blocks)(everything)
        tokens = everything.view_as(tokens)
        yield tokens
        downsamples = zip(self.temporal_downsamples, self.spatial_downsamples, self.depths[1:], strict=True)
        for temporal, spatial, depth in downsamples:
            tokens = temporal(tokens)
            everything, bottleneck = tokens.flatten(1, 2), spatial(tokens).flatten(1, 2)
            for _ in range(depth - 1):
                bottleneck = next(blocks)(bottleneck, everything)
            tokens = next(blocks)(everything, bottleneck if context is None else context).view_as(tokens)
            yield tokens


def _check(size: TpsbtSize) -> None:
    if not size.depths:
        raise ValueError("stages of unknown depths: the weights do not say which stage a block is of, so say it")
    later, steps = len(size.depths) - 1, size.shape.grid[0]
    if len(size.bottlenecks) != later:
        raise ValueError(f"bottleneck tokens of {len(size.bottlenecks)} stages, expected {later}, all but the first")
    if min(size.depths) < 1:
        raise ValueError(f"stages of {size.depths} blocks, expected at least one in each")
    if steps % size.factor**later:
        raise ValueError(f"{steps} steps of time cannot be shortened {later} times by {size.factor}")

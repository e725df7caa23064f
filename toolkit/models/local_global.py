"""LGI-Former, the encoder of MAE-DFER: attention in regions, among their representatives, and back to all tokens."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from toolkit.models.transformer.attention import CrossAttention
from toolkit.models.transformer.block import EXPANSION, FeedForward, layer_norm
from toolkit.models.transformer.drop_path import DropPath


class Partition(NamedTuple):
    """How a grid of tokens is cut into regions, each with its tokens in the order of (time, height, width).

    Attributes:
        counts: number of regions along time, height and width
        region: number of tokens of a region along each
    """

    counts: tuple[int, int, int]
    region: tuple[int, int, int]

    @classmethod
    def of(cls, grid: Sequence[int], region: tuple[int, int, int]) -> "Partition":
        """Returns the partition of a grid.

        Raises:
            ValueError: the grid does not consist of whole regions
        """
        steps, rows, columns = (all_of // one for all_of, one in zip(grid, region, strict=True))
        partition = cls((steps, rows, columns), region)
        if any(count * one != all_of for count, one, all_of in zip(*partition, grid, strict=True)):
            raise ValueError(f"a grid of {tuple(grid)} tokens cannot be cut into regions of {region}")
        return partition

    @property
    def regions(self) -> int:
        """Number of regions."""
        return math.prod(self.counts)

    def of_visible(self, visible: int) -> "Partition":
        """Returns the partition of what a mask leaves of the grid.

        Tokens come row by row and are dealt out evenly, so that each finds its own region if regions are as wide as
        the picture and show as many tokens at every step (`Windows` whose rows are those of a region).

        Args:
            visible: number of tokens left

        Raises:
            ValueError: they cannot be dealt out evenly
        """
        (steps, rows, columns), (length, _, _) = self
        each, rest = divmod(visible, self.regions * length)
        if rest or not each:
            places = f"{self.regions} regions, {length} steps each"
            raise ValueError(f"{visible} visible tokens cannot be dealt out evenly to {places}")
        return Partition((steps, rows * columns, 1), (length, each, 1))

    def cut(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to ``(batch, regions, tokens of a region, dim)``."""
        (steps, rows, columns), (length, height, width) = self
        grid = tokens.unflatten(1, (steps, length, rows, height, columns, width))
        return grid.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4, 6).flatten(1, 3)

    def joined(self, regions: Tensor) -> Tensor:
        """Undoes `cut`."""
        grid = regions.unflatten(2, self.region).unflatten(1, self.counts)
        return grid.permute(0, 1, 4, 2, 5, 3, 6, 7).flatten(1, 6)


class Stages(NamedTuple):
    """Which attention layers a block has; the standard ones are those of the paper, the others its ablations.

    Attributes:
        first: "self" among a region's tokens and its representative, "cross" from the representative to the tokens
        second: whether representatives look at each other
        third: "cross" from all tokens to all representatives, "self" as the first, None for no such layer
        shared: "first-third" for one set of weights of these two, "all" for one of all three, None for one each
    """

    first: Literal["self", "cross"] = "self"
    second: bool = True
    third: Literal["self", "cross"] | None = "cross"
    shared: Literal["first-third", "all"] | None = None

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> "Stages":
        """Returns the stages of the blocks whose tensors these are, by their names in fine-tuning."""
        names = {stage: f"blocks.0.{stage}_attn" for stage in ("first", "second", "third")}
        layers = {
            stage: state[f"{name}.proj.weight"] for stage, name in names.items() if f"{name}.proj.weight" in state
        }
        kinds = {stage: "cross" if f"{names[stage]}_norm1.weight" in state else "self" for stage in layers}
        same = {stage for stage, weight in layers.items() if torch.equal(weight, layers["first"])}
        shared = "all" if "second" in same else "first-third" if "third" in same else None
        return cls(kinds["first"], "second" in layers, kinds.get("third"), shared)


class LocalGlobalBlock(nn.Module):
    """Up to three attention layers and a feed-forward layer, each normalised before and added to what it reads.

    Nothing is written in place, so that gradients exist for every choice of stages.

    Args:
        dim: width of a token
        heads: attention heads
        stages: which attention layers there are
        drop_path: probability of leaving out a branch while training, of each region or clip, as the branch has them
    """

    def __init__(self, dim: int, heads: int, stages: Stages = Stages(), *, drop_path: float = 0.0) -> None:  # noqa: B008
        super().__init__()
        self.stages = stages
        self.first_attn_norm0 = layer_norm(dim)
        if stages.first == "cross":
            self.first_attn_norm1 = layer_norm(dim)
        self.first_attn = CrossAttention(dim, heads)
        if stages.second:
            self.second_attn_norm0 = layer_norm(dim)
            self.second_attn = self.first_attn if stages.shared == "all" else CrossAttention(dim, heads)
        if stages.third:
            self.third_attn_norm0 = layer_norm(dim)
            if stages.third == "cross":
                self.third_attn_norm1 = layer_norm(dim)
            self.third_attn = self.first_attn if stages.shared else CrossAttention(dim, heads)
        self.drop_path = DropPath(drop_path)
        self.norm2 = layer_norm(dim)
        self.mlp = FeedForward(dim, EXPANSION * dim)

    def forward(self, tokens: Tensor, regions: int) -> Tensor:
        """Maps ``(batch * regions, 1 + tokens of a region, dim)`` to the same shape, representatives first."""
        representative, local = self._first(tokens)
        everyone = representative.unflatten(0, (-1, regions)).squeeze(2)  # (B, M, D)
        if self.stages.second:
            everyone = everyone + self.drop_path(self.second_attn(self.second_attn_norm0(everyone)))
        tokens = self._third(everyone, local)
        return tokens + self.drop_path(self.mlp(self.norm2(tokens)))

    def _first(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Returns representatives ``(batch * regions, 1, dim)`` and what they stand for."""
        if self.stages.first == "self":
            tokens = tokens + self.drop_path(self.first_attn(self.first_attn_norm0(tokens)))
            return tokens[:, :1], tokens[:, 1:]
        representative, local = tokens[:, :1], tokens[:, 1:]
        read = self.first_attn(self.first_attn_norm0(representative), self.first_attn_norm1(local))
        return representative + self.drop_path(read), local

    def _third(self, everyone: Tensor, local: Tensor) -> Tensor:
        """Returns all tokens as `forward` does, given all representatives ``(batch, regions, dim)``."""
        if self.stages.third == "cross":
            whole = local.unflatten(0, everyone.shape[:2]).flatten(1, 2)  # (B, M * L, D)
            read = self.third_attn(self.third_attn_norm0(whole), self.third_attn_norm1(everyone))
            local = (whole + self.drop_path(read)).view_as(local)
        tokens = torch.cat([everyone.flatten(0, 1)[:, None], local], dim=1)
        if self.stages.third == "self":
            tokens = tokens + self.drop_path(self.third_attn(self.third_attn_norm0(tokens)))
        return tokens


def through(blocks: nn.ModuleList, representatives: Tensor, local: Tensor) -> Tensor:
    """Sends regions through blocks.

    Args:
        blocks: `LocalGlobalBlock`
        representatives: ``(regions, dim)``, the same for every clip
        local: ``(batch, regions, tokens of a region, dim)``

    Returns:
        ``(batch, regions, 1 + tokens of a region, dim)``, representatives first
    """
    batch, regions = local.shape[:2]
    tokens = torch.cat([representatives.to(local.dtype).expand(batch, -1, -1)[:, :, None], local], dim=2).flatten(0, 1)
    for block in blocks:
        tokens = block(tokens, regions)
    return tokens.unflatten(0, (batch, regions))

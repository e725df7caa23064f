"""Stochastic depth (Huang et al. 2016)."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Leaves a residual branch out for some rows of the batch while training, and makes up for it in the others.

    Args:
        rate: probability of leaving the branch out
    """

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """Maps ``(batch, ...)`` to the same shape."""
        if not self.training or not self.rate:
            return branch
        kept = torch.rand(len(branch), *[1] * (branch.dim() - 1), device=branch.device) >= self.rate
        return branch * kept.to(branch.dtype) / (1 - self.rate)


def drop_rates(highest: float, depth: int) -> list[float]:
    """Returns the rate of each block: from 0 in the first, in even steps, to ``highest`` in the last."""
    return [highest * index / max(depth - 1, 1) for index in range(depth)]

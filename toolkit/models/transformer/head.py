"""The last layer."""

from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["sigmoid", "relu", "tanh"]


class Head(nn.Linear):
    """A linear layer whose first weights are small, so that training begins with what pretraining has found.

    Args:
        dim: width of the features
        outputs: classes or values
        activation: of the outputs, None for the numbers as they are
    """

    def __init__(self, dim: int, outputs: int, activation: Activation | None = None) -> None:
        super().__init__(dim, outputs)
        self.activation = activation

    def forward(self, features: Tensor) -> Tensor:
        """Maps ``(..., dim)`` to ``(..., outputs)``."""
        logits = super().forward(features)
        return logits if self.activation is None else getattr(torch, self.activation)(logits)

    def shrink(self, factor: float = 0.001) -> None:
        """Multiplies the weights by a factor; the standard one is that of all recipes."""
        with torch.no_grad():
            self.weight *= factor
            self.bias *= factor

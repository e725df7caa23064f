"""The one layer that everything stands on, for one network and for a stack of them."""

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear` whose weights may have an axis of models in front (`toolkit.models.stack`)."""

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(..., in)`` to ``(..., out)``; of a stack, ``(models, ..., in)`` with weights ``(models, out, in)``."""
        if self.weight.dim() == 2:
            return super().forward(values)
        rows = values if values.dim() == 3 else values.flatten(1, -2)  # (models, rows, in)
        mapped = rows @ self.weight.mT if self.bias is None else torch.baddbmm(self.bias[:, None], rows, self.weight.mT)
        return mapped if values.dim() == 3 else mapped.unflatten(1, values.shape[1:-1])

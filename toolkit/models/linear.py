"""The one layer that everything stands on, for one network and for a stack of them."""

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear` whose weights may have an axis of models in front (`toolkit.models.stack`)."""

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(..., in)`` to ``(..., out)``.

        In a stack it is ``(models, ..., in)`` to ``(models, ..., out)`` with weights ``(models, out, in)``.
        """
        if self.weight.dim() == 2:
            return super().forward(values)
        rows = values if values.dim() == 3 else values.flatten(1, -2)  # (models, rows, in)
        mapped = self._map(rows)
        return mapped if values.dim() == 3 else mapped.unflatten(1, values.shape[1:-1])

    def _map(self, rows: Tensor) -> Tensor:
        """Maps ``(models, rows, in)`` to ``(models, rows, out)``."""
        bias = None if self.bias is None else self.bias[:, None]
        if self.out_features == 1:
            # A product with one column is summed in another order where there is one model than where there are more.
            mapped = (rows * self.weight).sum(dim=-1, keepdim=True)
            return mapped if bias is None else mapped + bias
        return rows @ self.weight.mT if bias is None else torch.baddbmm(bias, rows, self.weight.mT)

"""The one layer that everything stands on, for one network and for a stack of them."""

from typing import Any

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear` whose weights may have an axis of models in front (`toolkit.models.stack`)."""

    def reset_parameters(self) -> None:
        """Draws new weights, where there are any: a network may have no emotions to tell apart."""
        if self.weight.numel():
            super().reset_parameters()

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
        if self.out_features == 1:
            # A product with one column is summed in another order where there is one model than where there are more.
            mapped = (rows * self.weight).sum(dim=-1, keepdim=True)
        else:
            mapped = _Products.apply(rows, self.weight)
        return mapped if self.bias is None else mapped + self.bias[:, None]


class _Products(torch.autograd.Function):
    """``rows @ weight.mT`` of every model.

    Autograd's own gradient of the weight comes transposed, and turning it around costs more than the product itself.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor, weight: Tensor) -> Tensor:
        """Maps ``(models, rows, in)`` by weights ``(models, out, in)``."""
        context.save_for_backward(rows, weight)
        return torch.bmm(rows, weight.mT)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Returns the gradients of rows and weight, each where it is wanted."""
        rows, weight = context.saved_tensors
        wanted = context.needs_input_grad
        of_rows = torch.bmm(gradient, weight) if wanted[0] else None
        return of_rows, torch.bmm(gradient.mT, rows) if wanted[1] else None

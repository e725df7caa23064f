"""The one layer that everything stands on, for one network and for a stack of them."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear` whose weights may have an axis of models in front (`toolkit.models.stack`).

    Attributes:
        rectifies: whether what is negative becomes zero
    """

    rectifies: ClassVar[bool] = False

    def reset_parameters(self) -> None:
        """Draws new weights, where there are any: a network may have no emotions to tell apart."""
        if self.weight.numel():
            super().reset_parameters()

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(..., in)`` to ``(..., out)``.

        In a stack it is ``(models, ..., in)`` to ``(models, ..., out)`` with weights ``(models, out, in)``.
        """
        if self.weight.dim() == 2:
            mapped = super().forward(values)
            return mapped.relu() if self.rectifies else mapped
        rows = values if values.dim() == 3 else values.flatten(1, -2)  # (models, rows, in)
        if self.out_features != 1:
            mapped = _Products.apply(rows, self.weight, self.bias, self.rectifies)
        else:
            mapped = self._one_column(rows)
        return mapped if values.dim() == 3 else mapped.unflatten(1, values.shape[1:-1])

    def _one_column(self, rows: Tensor) -> Tensor:
        # A product with one column is summed in another order where there is one model than where there are more.
        mapped = (rows * self.weight).sum(dim=-1, keepdim=True)
        mapped = mapped if self.bias is None else mapped + self.bias[:, None]
        return mapped.relu() if self.rectifies else mapped


class RectifiedLinear(Linear):
    """A linear layer that sets what is negative to zero."""

    rectifies = True


class _Products(torch.autograd.Function):
    """``rows @ weight.mT + bias`` of every model, and what is negative set to zero, in one step.

    Autograd's own gradient of the weight comes transposed, and turning it around costs more than the product itself.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor, weight: Tensor, bias: Tensor | None, rectify: bool) -> Tensor:
        """Maps ``(models, rows, in)`` by weights ``(models, out, in)`` and biases ``(models, out)``."""
        mapped = torch.bmm(rows, weight.mT) if bias is None else torch.baddbmm(bias[:, None], rows, weight.mT)
        mapped = mapped.relu_() if rectify else mapped
        context.save_for_backward(rows, weight, mapped if rectify else None)
        return mapped

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients of rows, weight and bias, each where it is wanted."""
        rows, weight, mapped = context.saved_tensors
        if mapped is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, mapped, 0)
        of_rows, of_weight, of_bias = context.needs_input_grad[:3]
        return (
            torch.bmm(gradient, weight) if of_rows else None,
            torch.bmm(gradient.mT, rows) if of_weight else None,
            gradient.sum(1) if of_bias else None,
            None,
        )

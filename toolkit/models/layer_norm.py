"""Layer normalisation for one network and for a stack of them."""

from torch import Tensor, nn


class LayerNorm(nn.LayerNorm):
    """`torch.nn.LayerNorm` over the last axis, whose weights may have an axis of models in front.

    Scale and shift are steps of their own, in a stack (`toolkit.models.stack`) as in one network, so that both give
    the same numbers to the last bit.

    Args:
        dim: size of the last axis
    """

    def __init__(self, dim: int) -> None:
        super().__init__(dim)

    def forward(self, values: Tensor) -> Tensor:
        """Normalises ``(..., dim)``; of a stack, ``(models, ..., dim)`` with weights ``(models, dim)``."""
        *models, dim = self.weight.shape
        shape = (*models, *[1] * (values.dim() - self.weight.dim()), dim)
        normal = nn.functional.layer_norm(values, (dim,), eps=self.eps)
        return normal * self.weight.view(shape) + self.bias.view(shape)

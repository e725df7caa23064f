"""Adam over the weights of a stack, each model with a learning rate of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baseline.config import TrainingSettings
from toolkit.models.stack import LINE, Stack

LARGE = 1 << 15  # numbers of one model's weight that are moved where they are


class StackAdam:
    """Adam that moves each model of a stack as it would move it alone, to the last bit.

    torch's fused Adam rounds the last numbers of a tensor, which do not fill a line of 64 bytes, differently from the
    others. Weights of which a model has an odd number are therefore moved in one tensor that fills its lines, and with
    them all that are small, which saves the time of handling each.

    Args:
        stack: the models
        settings: of each model, those of one learning rate next to each other
    """

    def __init__(self, stack: Stack, settings: Sequence[TrainingSettings]) -> None:
        self.weights = [weight for weight in stack.parameters() if weight.requires_grad]
        rates = [(one.learning_rate, one.weight_decay) for one in settings]
        starts = [number for number, rate in enumerate(rates) if number == 0 or rate != rates[number - 1]]
        self._groups = [
            _Group(self.weights, slice(start, stop) if len(starts) > 1 else slice(None), len(rates))
            for start, stop in zip(starts, [*starts[1:], len(rates)], strict=True)
        ]
        options = [
            {"params": group.moved, "lr": rates[start][0], "weight_decay": rates[start][1]}
            for group, start in zip(self._groups, starts, strict=True)
        ]
        self._optimizer = torch.optim.Adam(options, fused=True)

    def step(self, loss: Tensor, clip: float | None) -> None:
        """Takes one step down a loss, each number of the gradient within plus and minus ``clip``."""
        for weight in self.weights:
            weight.grad = None
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_value_(self.weights, clip)
        for group in self._groups:
            group.take_gradients()
        self._optimizer.step()
        for group in self._groups:
            group.give_back()


class _Group:
    """The weights of neighbouring models.

    Attributes:
        moved: what the optimizer moves: views of the large weights, and a copy of the others end to end
    """

    def __init__(self, weights: Sequence[nn.Parameter], part: slice, models: int) -> None:
        sizes = [weight.numel() // models for weight in weights]
        large = [size >= LARGE and size % LINE == 0 for size in sizes]
        self._part = part
        self._large = [weight for weight, is_large in zip(weights, large, strict=True) if is_large]
        self._small = [weight for weight, is_large in zip(weights, large, strict=True) if not is_large]
        self.moved = [weight.detach()[part] for weight in self._large]
        self._views = [weight.detach()[part] for weight in self._small]
        if self._small:
            self.moved.append(self._end_to_end(self._views))

    def take_gradients(self) -> None:
        """Hands the optimizer the gradients of the weights; one that took no part has none."""
        for weight, moved in zip(self._large, self.moved, strict=False):
            moved.grad = None if weight.grad is None else weight.grad[self._part]
        if self._small:
            gradients = [
                torch.zeros_like(view) if weight.grad is None else weight.grad[self._part]
                for weight, view in zip(self._small, self._views, strict=True)
            ]
            self.moved[-1].grad = self._end_to_end(gradients)

    def give_back(self) -> None:
        """Writes the small weights back to where the networks have them."""
        if self._small:
            pieces = self.moved[-1].split([*(view.numel() for view in self._views), self._filling()])
            shaped = [piece.view_as(view) for view, piece in zip(self._views, pieces, strict=False)]
            torch._foreach_copy_(self._views, shaped)

    def _end_to_end(self, tensors: Sequence[Tensor]) -> Tensor:
        return torch.cat([*(tensor.reshape(-1) for tensor in tensors), tensors[0].new_zeros(self._filling())])

    def _filling(self) -> int:
        return -sum(view.numel() for view in self._views) % LINE

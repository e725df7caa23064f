"""Adam over the weights of a stack, each model with a learning rate of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from baseline.config import TrainingSettings
from toolkit.models.stack import LINE, Stack

LARGE = 1 << 12  # numbers of one model's weight that are moved where they are
BETAS, EPSILON = (0.9, 0.999), 1e-8  # the defaults of Kingma and Ba (2015) and of torch


class StackAdam:
    """Adam that moves each model of a stack as it would move it alone, to the last bit.

    torch's fused Adam rounds the last numbers of a tensor, which do not fill a line of 64 bytes, differently from the
    others. On a CPU the small weights are therefore laid side by side in one tensor, a row for each model and whole
    lines for each weight; the weights become views of it. That also saves the time of handling each.

    Args:
        stack: the models; its weights change their place
        settings: of each model, those of one learning rate next to each other
    """

    def __init__(self, stack: Stack, settings: Sequence[TrainingSettings]) -> None:
        self._models = len(settings)
        self.weights = [weight for weight in stack.parameters() if weight.requires_grad]
        self._large = [weight for weight in self.weights if self._is_large(weight)]
        self._small = [weight for weight in self.weights if not self._is_large(weight)]
        moved = [weight.detach() for weight in self._large]
        if self._small:
            moved.append(self._side_by_side([weight.detach() for weight in self._small]))
            self._move(moved[-1])
        rates = [(one.learning_rate, one.weight_decay) for one in settings]
        starts = [number for number, rate in enumerate(rates) if number == 0 or rate != rates[number - 1]]
        self._groups = [
            _Group.starting(moved, slice(start, stop) if len(starts) > 1 else slice(None), *rates[start])
            for start, stop in zip(starts, [*starts[1:], self._models], strict=True)
        ]

    def step(self, loss: Tensor, clip: float | None) -> None:
        """Takes one step down a loss, each number of the gradient within plus and minus ``clip``."""
        for weight in self.weights:
            weight.grad = None
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_value_(self.weights, clip)
        gradients = [weight.grad for weight in self._large]
        if self._small:
            slopes = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self._small]
            gradients.append(self._side_by_side(slopes))
        for group in self._groups:
            group.step(gradients)

    def _is_large(self, weight: Tensor) -> bool:
        size = weight.numel() // self._models
        return weight.device.type != "cpu" or (size >= LARGE and size % LINE == 0)

    def _side_by_side(self, tensors: Sequence[Tensor]) -> Tensor:
        """Returns tensors with an axis of models in front as ``(models, numbers)``, zeros filling each one's lines."""
        parts = []
        for tensor in tensors:
            rows = tensor.reshape(self._models, -1)
            parts.append(rows)
            if rows.shape[1] % LINE:
                parts.append(rows.new_zeros(self._models, -rows.shape[1] % LINE))
        return torch.cat(parts, dim=1)

    def _move(self, together: Tensor) -> None:
        """Makes the small weights views of where they lie side by side."""
        start = 0
        for weight in self._small:
            size = weight.numel() // self._models
            weight.data = together[:, start : start + size].view(weight.shape)
            start += size + -size % LINE


class _Group(NamedTuple):
    """Neighbouring models of one learning rate.

    Attributes:
        part: which models of the stack
        moved: their weights
        means: of the gradients, as Adam runs them
        squares: means of the squared gradients
        counts: ``()`` steps that each has taken
        rate: learning rate
        decay: weight decay, which is added to the gradient
    """

    part: slice
    moved: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    counts: list[Tensor]
    rate: float
    decay: float

    @classmethod
    def starting(cls, moved: Sequence[Tensor], part: slice, rate: float, decay: float) -> "_Group":
        own = [tensor[part] for tensor in moved]
        means, squares = ([torch.zeros_like(tensor) for tensor in own] for _ in range(2))
        counts = [torch.zeros((), device=tensor.device) for tensor in own]
        return cls(part, own, means, squares, counts, rate, decay)

    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """Moves the weights; one that took no part in the loss has no gradient and stays."""
        there = [number for number, gradient in enumerate(gradients) if gradient is not None]
        state = ([tensors[number] for number in there] for tensors in (self.means, self.squares))
        adam(
            [self.moved[number] for number in there],
            [gradients[number][self.part] for number in there],
            *state,
            [],
            [self.counts[number] for number in there],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.rate,
            weight_decay=self.decay,
            eps=EPSILON,
            maximize=False,
        )

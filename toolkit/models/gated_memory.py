"""The memory of the memory fusion networks."""

import torch
from torch import Tensor, nn

from toolkit.models.layers import multilayer
from toolkit.models.linear import Linear


def two_layers(dim: int, hidden: int, width: int, dropout: float) -> nn.Sequential:
    """Returns Linear, ReLU, Dropout and Linear: ``dim`` to ``hidden`` to ``width`` numbers."""
    return multilayer(dim, (hidden,), dropout).append(Linear(hidden, width))


class GatedMemory(nn.Module):
    """A memory that takes in, at every frame, as much of what is seen as its two gates let through.

    ``memory = retain * memory + update * tanh(candidate)``, where candidate, retain and update have two layers each and
    the gates see the memory as well (Zadeh et al., AAAI 2018, arXiv:1802.00927, section "Multi-view Gated Memory").
    All that does not need the memory is computed for all frames at once, and both gates in one matrix product.

    Args:
        width: how many numbers are seen at every frame
        hidden: width of the inner layers
        memory: size of the memory
        dropout: probability, on the inner layers
    """

    def __init__(self, width: int, hidden: int, memory: int, dropout: float) -> None:
        super().__init__()
        if memory < 1:
            raise ValueError(f"a memory of {memory} numbers, expected 1 or more")
        self.candidate = two_layers(width, hidden, memory, dropout)
        self.retain = two_layers(width + memory, hidden, memory, dropout)
        self.update = two_layers(width + memory, hidden, memory, dropout)

    def forward(self, seen: Tensor) -> Tensor:
        """Maps ``(time, batch, width)`` to the memory before and after every frame, ``(1 + time, batch, memory)``."""
        (see, recall, keep), (decide, bias) = self._inner_layers(seen), self._outer_layers()
        candidates = self.candidate(seen).tanh()
        memory = candidates.new_zeros(candidates.shape[1:])
        memories = [memory]
        for candidate, frame, kept in zip(candidates.unbind(), see.unbind(), keep.unbind(), strict=True):
            inner = torch.baddbmm(frame, memory.expand(2, -1, -1), recall).relu() * kept
            retain, update = torch.baddbmm(bias, inner, decide).sigmoid().unbind()
            memory = retain * memory + update * candidate
            memories.append(memory)
        return torch.stack(memories)

    def _inner_layers(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the first layer of both gates, split at what is seen and what is remembered.

        Returns:
            ``(time, 2, batch, hidden)`` what is seen, through the layer; ``(2, memory, hidden)`` the weights of the
            memory; ``(time, 2, batch, hidden)`` by what dropout multiplies the result
        """
        layers, width = (self.retain[0], self.update[0]), seen.shape[-1]
        see = [nn.functional.linear(seen, layer.weight[:, :width], layer.bias) for layer in layers]
        recall = torch.stack([layer.weight[:, width:].T for layer in layers])
        keep = [gate[2](torch.ones_like(part)) for gate, part in zip((self.retain, self.update), see, strict=True)]
        return torch.stack(see, dim=1), recall, torch.stack(keep, dim=1)

    def _outer_layers(self) -> tuple[Tensor, Tensor]:
        """Returns the weights ``(2, hidden, memory)`` and biases ``(2, 1, memory)`` of both gates' second layer."""
        layers = (self.retain[3], self.update[3])
        return torch.stack([layer.weight.T for layer in layers]), torch.stack([layer.bias[None] for layer in layers])

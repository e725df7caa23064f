"""Dropout whose chance can come from a cheap source that every model has for itself."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from toolkit.models.transfer import sent

LEVELS = 256  # a byte decides on each number, so a probability is rounded to 1/256


class Chance:
    """Random bytes for models that train side by side: each draws the same as if it trained alone.

    Drawing floats is what costs most in `torch.nn.functional.dropout` on a CPU: 2.1 ms for ``(32, 6912)`` numbers,
    against 0.06 ms for as many bytes of numpy's SFC64 (``benchmarks/protocol.py``).

    Args:
        seeds: one per model; models with the same seed share their bytes
        device: where the bytes are wanted
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        streams = list(dict.fromkeys(seeds))
        self._device = device
        self._which = torch.tensor([streams.index(seed) for seed in seeds], device=device)
        self._shared = 1 < len(streams) < len(seeds)
        self._sources = [np.random.SFC64(seed) for seed in streams]

    def draw(self, shape: Sequence[int]) -> Tensor:
        """Returns ``(models, *shape)`` uint8, or ``(1, *shape)`` where all models have the same bytes."""
        count = int(np.prod(shape))
        words = [source.random_raw(-(-count // 8)) for source in self._sources]  # of 8 bytes
        drawn = np.stack(words) if len(words) > 1 else words[0][None]
        drawn = sent(torch.from_numpy(drawn.view(np.uint8)[:, :count]), self._device)
        drawn = drawn.reshape(len(self._sources), *shape)
        return drawn[self._which] if self._shared else drawn


class Dropout(nn.Module):
    """Sets numbers to zero by chance in training, and scales the others up to make up for it.

    Args:
        probability: of a number being dropped, from 0 to below 1

    Attributes:
        chance: where the randomness comes from, torch's global generator if it is ``None``
        probabilities: ``(models,)`` one per model of a stack (`toolkit.models.stack`), ``None`` outside one
    """

    probabilities: Tensor | None

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"a dropout probability of {probability}, expected 0 to below 1")
        self.probability = probability
        self.chance: Chance | None = None
        self.register_buffer("probabilities", None, persistent=False)  # a buffer follows the weights to their device

    def forward(self, values: Tensor) -> Tensor:
        """Returns values of the same shape, ``(batch, ...)`` or of a stack ``(models, batch, ...)``."""
        if not self.training or (self.probabilities is None and self.probability == 0):
            return values
        # At least one level keeps a number: a probability that rounds to 1 must not divide by nothing.
        if self.probabilities is None:  # plain numbers, since a tensor of one would make a GPU wait
            kept = max(1, LEVELS - round(self.probability * LEVELS))
            highest = kept - 1
        else:
            probability = self.probabilities.view(-1, *[1] * (values.dim() - 1))
            kept = (LEVELS - (probability * LEVELS).round()).clamp(min=1)
            highest = (kept - 1).to(torch.uint8)
        # Bytes are compared with a byte, into floats at once: a third of the time that masks of booleans take.
        mask = torch.empty(values.shape, dtype=values.dtype, device=values.device)
        torch.le(self._drawn(values), highest, out=mask)
        return values * mask.mul_(LEVELS / kept)

    def _drawn(self, values: Tensor) -> Tensor:
        """Returns a random byte for each number."""
        if self.chance is None:
            return torch.randint(LEVELS, values.shape, dtype=torch.uint8, device=values.device)
        return self.chance.draw(values.shape)[0] if self.probabilities is None else self.chance.draw(values.shape[1:])

"""What features and valence are standardised by."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from baseline.dataset import BATCH, Inputs, Targets
from baseline.ragged import Ragged

# A standardised number beyond this is a feature that hardly varied in training; it must not drown all others.
LIMIT = 5.0


class Standard(NamedTuple):
    """Means and standard deviations of a training fold.

    Attributes:
        mean: ``(dim,)`` by feature
        deviation: ``(dim,)`` by feature, one where a number does not vary, infinite where no clip has the feature
        valence: ``(2,)`` mean and standard deviation, NaN where no valence is known
        limit: standardised features are kept within plus and minus this
    """

    mean: dict[str, Tensor]
    deviation: dict[str, Tensor]
    valence: Tensor
    limit: float = LIMIT

    @classmethod
    def neutral(cls, inputs: Inputs, targets: Targets) -> "Standard":
        """Returns what leaves features and valence as they are."""
        mean = {key: targets.valence.new_zeros(dim) for key, dim in inputs.dims.items()}
        valence = targets.valence.new_tensor([0.0, 1.0] if targets.valence.isfinite().any() else [float("nan")] * 2)
        return cls(mean, {key: torch.ones_like(zeros) for key, zeros in mean.items()}, valence, math.inf)

    @classmethod
    def fit(cls, inputs: Inputs, targets: Targets, clips: Tensor | None = None) -> "Standard":
        """Measures the clips that have each feature; of frames, every one counts the same.

        Args:
            inputs: features
            targets: labels of the same clips
            clips: ``(n,)`` numbers of those that are measured, all of them if absent
        """
        if clips is None:
            clips = torch.arange(len(inputs), device=targets.valence.device)
        mean, deviation = {}, {}
        for key, values in inputs.values.items():
            known = clips[inputs.present[key][clips]]
            if isinstance(values, Ragged):
                mean[key], deviation[key] = _spread(values.values, values[known].places)
            else:
                mean[key], deviation[key] = _spread(values, known)
        known = targets.valence[clips]
        known = known[known.isfinite()]
        if not len(known):
            return cls(mean, deviation, known.new_full((2,), float("nan")))
        spread = known.std(correction=0)
        return cls(mean, deviation, torch.stack([known.mean(), torch.where(spread > 0, spread, spread.new_ones(()))]))

    def apply(self, inputs: Inputs) -> Inputs:
        """Returns standardised features within the limit; vectors that are not present are zero.

        A feature that no clip of the training fold had is not present: its encoder has learnt nothing.
        """
        values, present = {}, {}
        for key in self.mean:
            present[key] = inputs.present[key] & self.deviation[key].isfinite().all()
            values[key] = self.scaled(key, inputs.values[key])
            if isinstance(values[key], Tensor) and not present[key].all():
                values[key].mul_(present[key][:, None])
        return Inputs(inputs.names, values, present)

    def scaled(self, key: str, values: Tensor | Ragged) -> Tensor | Ragged:
        """Returns standardised values of a feature within the limit, vectors ``(..., dim)`` or frames."""
        if isinstance(values, Ragged):
            return Ragged.end_to_end(self.scaled(key, values.frames), values.lengths)
        return torch.sub(values, self.mean[key]).div_(self.deviation[key]).clamp_(-self.limit, self.limit)

    def to(self, device: str) -> "Standard":
        """Returns the same on a device."""
        mean, deviation = ({key: value.to(device) for key, value in part.items()} for part in self[:2])
        return Standard(mean, deviation, self.valence.to(device), self.limit)


def _spread(values: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation of some rows, each ``(dim,)``; computed in float64, a few rows at a time."""
    if not len(rows):
        return values.new_zeros(values.shape[1]), values.new_full((values.shape[1],), torch.inf)
    blocks = rows.split(BATCH)
    mean = (sum(values[block].double().sum(0) for block in blocks) / len(rows)).float()
    squares = sum((values[block].double() - mean).square_().sum(0) for block in blocks)
    spread = (squares / len(rows)).sqrt().float()
    # Rounding alone gives a constant of 1e3 a deviation of 1e-5: constant means small beside the mean.
    return mean, torch.where(spread > 1e-6 * (1 + mean.abs()), spread, torch.ones_like(spread))

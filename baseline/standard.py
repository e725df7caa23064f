"""What features and valence are standardised by."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from baseline.dataset import BATCH, Inputs, Targets
from baseline.ragged import Ragged

# A standardised number beyond this is a feature that hardly varied in training; it must not drown all others.
LIMIT = 5.0
WITHOUT_DOUBLES = ("mps",)  # Apple's GPUs know no float64


class Standard(NamedTuple):
    """Means and standard deviations of a training fold.

    Attributes:
        mean: ``(dim,)`` by feature
        deviation: ``(dim,)`` by feature, one where a number does not vary, infinite where no clip has the feature
        valence: ``(2,)`` what valence is standardised by, 0 and 1 where it stays as it is; NaN where none is known
        limit: standardised features are kept within plus and minus this, infinite where they stay as they are
        usual: ``()`` mean valence where that is not the one it is standardised by
    """

    mean: dict[str, Tensor]
    deviation: dict[str, Tensor]
    valence: Tensor
    limit: float = LIMIT
    usual: Tensor | None = None

    @classmethod
    def neutral(cls, inputs: Inputs, targets: Targets, clips: Tensor) -> "Standard":
        """Returns what leaves features and valence as they are; arguments as of `fit`."""
        mean = {key: targets.valence.new_zeros(dim) for key, dim in inputs.dims.items()}
        deviation = {
            key: torch.ones_like(zeros) if inputs.present[key][clips].any() else torch.full_like(zeros, torch.inf)
            for key, zeros in mean.items()
        }
        known = _known_valence(targets, clips)
        valence = known.new_tensor([0.0, 1.0] if len(known) else [math.nan] * 2)
        return cls(mean, deviation, valence, math.inf, known.mean())

    @classmethod
    def fit(cls, inputs: Inputs, targets: Targets, clips: Tensor) -> "Standard":
        """Measures the clips that have each feature; of frames, every one counts the same.

        Args:
            inputs: features
            targets: labels of the same clips
            clips: ``(n,)`` numbers of those that are trained on
        """
        mean, deviation = {}, {}
        for key, values in inputs.values.items():
            known = clips[inputs.present[key][clips]]
            if isinstance(values, Ragged):
                mean[key], deviation[key] = _spread(values.values, values[known].places)
            else:
                mean[key], deviation[key] = _spread(values, known)
        known = _known_valence(targets, clips)
        if not len(known):
            return cls(mean, deviation, known.new_full((2,), float("nan")))
        spread = known.std(correction=0)
        return cls(mean, deviation, torch.stack([known.mean(), torch.where(spread > 0, spread, spread.new_ones(()))]))

    @property
    def usual_valence(self) -> Tensor:
        """``()`` mean valence of the clips trained on, NaN where none is known."""
        return self.valence[0] if self.usual is None else self.usual

    def present(self, inputs: Inputs) -> dict[str, Tensor]:
        """Returns ``(clips,)`` boolean by feature, true where a clip has it and a network may look at it.

        A feature that no clip of the training fold had is not present: its encoder has learnt nothing.
        """
        return {key: inputs.present[key] & deviation.isfinite().all() for key, deviation in self.deviation.items()}

    def usable(self, inputs: Inputs) -> Tensor:
        """Returns ``(clips,)`` boolean, true where any feature is `present`."""
        return torch.stack(list(self.present(inputs).values())).any(0)

    def apply(self, inputs: Inputs) -> Inputs:
        """Returns standardised features within the limit; vectors that are not `present` are zero."""
        values, present = {}, self.present(inputs)
        for key in self.mean:
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
        usual = None if self.usual is None else self.usual.to(device)
        return Standard(mean, deviation, self.valence.to(device), self.limit, usual)


def _known_valence(targets: Targets, clips: Tensor) -> Tensor:
    valence = targets.valence[clips]
    return valence[valence.isfinite()]


def _spread(values: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and standard deviation of some rows, each ``(dim,)``; computed in float64, a few rows at a time."""
    if not len(rows):
        return values.new_zeros(values.shape[1]), values.new_full((values.shape[1],), torch.inf)
    place = "cpu" if values.device.type in WITHOUT_DOUBLES else values.device
    blocks = rows.split(BATCH)
    mean = (sum(values[block].to(place).double().sum(0) for block in blocks) / len(rows)).float()
    squares = sum((values[block].to(place).double() - mean).square_().sum(0) for block in blocks)
    spread = (squares / len(rows)).sqrt().float()
    # What lies this close to the mean is rounding: float32 has seven digits. Features of any scale are told apart so.
    spread = torch.where(spread > 1e-6 * mean.abs(), spread, torch.ones_like(spread))
    return mean.to(values.device), spread.to(values.device)

"""The networks of all folds with what they were normalised by: predicting, saving, loading."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from baseline.dataset import Inputs, Targets
from baseline.task import Prediction, activate
from toolkit.errors import UserError
from toolkit.models.network import Network, NetworkOutput, build_network

# A standardised number beyond this is a feature that hardly varied in training; it must not drown all others.
LIMIT = 5.0
BATCH = 512  # clips per forward pass when predicting: what is made of them stays in the processor's cache


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
        mean = {key: values.new_zeros(values.shape[1]) for key, values in inputs.values.items()}
        valence = targets.valence.new_tensor([0.0, 1.0] if targets.valence.isfinite().any() else [float("nan")] * 2)
        return cls(mean, {key: torch.ones_like(zeros) for key, zeros in mean.items()}, valence, math.inf)

    @classmethod
    def fit(cls, inputs: Inputs, targets: Targets, clips: Tensor | None = None) -> "Standard":
        """Measures the clips that have each feature.

        Args:
            inputs: features
            targets: labels of the same clips
            clips: ``(n,)`` numbers of those that are measured, all of them if absent
        """
        if clips is None:
            clips = torch.arange(len(inputs), device=targets.valence.device)
        mean, deviation = {}, {}
        for key, values in inputs.values.items():
            mean[key], deviation[key] = _spread(values, clips[inputs.present[key][clips]])
        known = targets.valence[clips]
        known = known[known.isfinite()]
        if not len(known):
            return cls(mean, deviation, known.new_full((2,), float("nan")))
        spread = known.std(correction=0)
        return cls(mean, deviation, torch.stack([known.mean(), torch.where(spread > 0, spread, spread.new_ones(()))]))

    def apply(self, inputs: Inputs) -> Inputs:
        """Returns standardised features within the limit; those that are not present are zero.

        A feature that no clip of the training fold had is not present: its encoder has learnt nothing.
        """
        values, present = {}, {}
        for key in self.mean:
            present[key] = inputs.present[key] & self.deviation[key].isfinite().all()
            values[key] = self.scaled(key, inputs.values[key])
            if not present[key].all():
                values[key].mul_(present[key][:, None])
        return Inputs(inputs.names, values, present)

    def scaled(self, key: str, values: Tensor) -> Tensor:
        """Returns standardised values ``(..., dim)`` of a feature within the limit."""
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


class FoldModel(NamedTuple):
    """A trained network and what it was trained on.

    Attributes:
        network: the weights
        standard: what inputs and valence are standardised by
        prior: ``(labels,)`` how often each label held, the probabilities of a clip without any feature
    """

    network: Network
    standard: Standard
    prior: Tensor

    @torch.no_grad()
    def run(self, inputs: Inputs) -> NetworkOutput:
        """Returns the network's outputs for clips that are few enough for one batch, valence in the corpus' unit."""
        self.network.eval()
        scaled = self.standard.apply(inputs)
        output = self.network(scaled.values, scaled.present)
        mean, deviation = self.standard.valence
        return output._replace(valence=output.valence * deviation + mean)


@dataclass(frozen=True)
class FoldEnsemble:
    """The networks of all folds, averaged.

    Attributes:
        models: one per fold; with several seeds those of the first seed, then those of the next
        network: arguments of `toolkit.models.network.build_network`
        labels: what the first logits stand for
        activation: ``softmax`` or ``sigmoid``
        valence_range: predictions are kept within it
        folds: number of folds, that of the models where there is one seed
        mean_of: what is averaged: ``probabilities``, or ``logits`` as MERTools does
        facts: whatever else predicting on new clips needs to know, as JSON can hold it
    """

    models: list[FoldModel]
    network: dict[str, Any]
    labels: tuple[str, ...]
    activation: str
    valence_range: tuple[float, float]
    folds: int
    mean_of: Literal["probabilities", "logits"] = "probabilities"
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """Names of the features the networks read."""
        return sorted(self.network["inputs"])

    @classmethod
    def of_seeds(cls, ensembles: Sequence["FoldEnsemble"]) -> "FoldEnsemble":
        """Returns one ensemble of several, which were trained on the same folds with other seeds."""
        return replace(ensembles[0], models=[model for ensemble in ensembles for model in ensemble.models])

    def predict(self, inputs: Inputs, folds: Iterable[int] | None = None) -> Prediction:
        """Returns the mean over the models, of valences over those that learnt any.

        A clip without any feature gets the share of each label, and the mean valence, of the clips trained on.

        Args:
            inputs: at least the features the networks read, as they are in the caches
            folds: whose networks are asked, all of them if absent
        """
        inputs = inputs.only(self.features)
        models = (
            self.models if folds is None else [model for fold in folds for model in self.models[fold :: self.folds]]
        )
        starts = range(0, max(1, len(inputs)), BATCH)
        parts = [self._predict(models, inputs.span(start, start + BATCH)) for start in starts]
        return Prediction(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _predict(self, models: Sequence[FoldModel], inputs: Inputs) -> Prediction:
        """Returns the mean over some models for clips of one batch."""
        outputs = [model.run(inputs) for model in models]
        logits = torch.stack(
            [output.emotion_logits[:, : len(self.labels)] for output in outputs]
        )  # (models, B, labels)
        if self.mean_of == "logits":
            probabilities = activate(logits.mean(0), self.activation)
        else:
            probabilities = activate(logits, self.activation).mean(0)
        valence = torch.stack([output.valence for output in outputs]).nanmean(0).clamp(*self.valence_range)
        known = inputs.usable
        prior = torch.stack([model.prior for model in models]).mean(0)
        probabilities = torch.where(known[:, None], probabilities, prior)
        valence = torch.where(known, valence, torch.stack([model.standard.valence[0] for model in models]).nanmean())
        return Prediction(probabilities.cpu().numpy(), valence.cpu().numpy(), known.cpu().numpy())

    def save(self, path: Path) -> None:
        """Writes weights and normalisation as ``model<k>/...`` tensors, all else as JSON in the metadata."""
        from safetensors.torch import save_file

        tensors: dict[str, Tensor] = {}
        for number, (network, standard, prior) in enumerate(self.models):
            tensors |= {f"model{number}/network/{key}": value for key, value in network.state_dict().items()}
            for key in standard.mean:
                tensors[f"model{number}/mean/{key}"] = standard.mean[key]
                tensors[f"model{number}/deviation/{key}"] = standard.deviation[key]
            tensors[f"model{number}/valence"], tensors[f"model{number}/prior"] = standard.valence, prior
        facts = {
            "models": len(self.models), "folds": self.folds, "network": self.network, "labels": self.labels,
            "activation": self.activation, "valence_range": self.valence_range, "mean_of": self.mean_of,
            "limit": str(self.models[0].standard.limit), "facts": self.facts,
        }  # fmt: skip
        contiguous = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        save_file(contiguous, path, metadata={"model": json.dumps(facts)})

    @classmethod
    def load(cls, path: Path, device: str = "cpu") -> Self:
        """Returns what `save` wrote.

        Raises:
            UserError: the file is not there or not one of these
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="pt") as file:
                facts = json.loads((file.metadata() or {})["model"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - the file is no mapping
            limit, numbers = float(facts.pop("limit")), range(facts.pop("models"))
            models = [_fold_model(tensors, f"model{number}/", facts["network"], limit, device) for number in numbers]
            facts |= {"labels": tuple(facts["labels"]), "valence_range": tuple(facts["valence_range"])}
            return cls(models, **facts)
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise UserError(
                f"{path} holds no model of a run ({error}). Expected RUNS/<track>/<name>/model.safetensors."
            ) from None


def _fold_model(
    tensors: dict[str, Tensor], prefix: str, arguments: dict[str, Any], limit: float, device: str
) -> FoldModel:
    def part(name: str) -> dict[str, Tensor]:
        start = f"{prefix}{name}/"
        return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}

    network = build_network(**arguments)
    network.load_state_dict(part("network"))
    standard = Standard(part("mean"), part("deviation"), tensors[f"{prefix}valence"], limit)
    return FoldModel(network.to(device).eval(), standard.to(device), tensors[f"{prefix}prior"].to(device))

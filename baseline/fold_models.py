"""The networks of all folds with what they were normalised by: predicting, saving, loading."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from baseline.dataset import Inputs, Targets
from baseline.task import Prediction, activate
from toolkit.errors import UserError
from toolkit.models.network import Network, NetworkOutput, build_network

# A standardised number beyond this is a feature that hardly varied in training; it must not drown all others.
LIMIT = 5.0
BATCH = 4096  # clips per forward pass when predicting


class Standard(NamedTuple):
    """Means and standard deviations of a training fold.

    Attributes:
        mean: ``(dim,)`` by feature
        deviation: ``(dim,)`` by feature, one where a number does not vary, infinite where no clip has the feature
        valence: ``(2,)`` mean and standard deviation, NaN where no valence is known
    """

    mean: dict[str, Tensor]
    deviation: dict[str, Tensor]
    valence: Tensor

    @classmethod
    def fit(cls, inputs: Inputs, targets: Targets) -> "Standard":
        """Measures the clips that have each feature."""
        mean, deviation = {}, {}
        for key, values in inputs.values.items():
            rows = values[inputs.present[key]].double()
            mean[key] = rows.sum(0).div(max(1, len(rows))).float()
            spread = (rows - mean[key]).square().sum(0).div(max(1, len(rows))).sqrt().float()
            # Rounding alone gives a constant of 1e3 a deviation of 1e-5: constant means small beside the mean.
            deviation[key] = torch.where(spread > 1e-6 * (1 + mean[key].abs()), spread, torch.ones_like(spread))
            if not len(rows):
                deviation[key].fill_(torch.inf)
        known = targets.valence[targets.valence.isfinite()]
        if not len(known):
            return cls(mean, deviation, known.new_full((2,), float("nan")))
        spread = known.std(correction=0)
        return cls(mean, deviation, torch.stack([known.mean(), torch.where(spread > 0, spread, spread.new_ones(()))]))

    def apply(self, inputs: Inputs) -> Inputs:
        """Returns standardised features within plus and minus `LIMIT`; those that are not present are zero.

        A feature that no clip of the training fold had is not present: its encoder has learnt nothing.
        """
        values, present = {}, {}
        for key in self.mean:
            scaled = ((inputs.values[key] - self.mean[key]) / self.deviation[key]).clamp(-LIMIT, LIMIT)
            present[key] = inputs.present[key] & self.deviation[key].isfinite().all()
            values[key] = torch.where(present[key][:, None], scaled, torch.zeros_like(scaled))
        return Inputs(inputs.names, values, present)

    def to(self, device: str) -> "Standard":
        """Returns the same on a device."""
        mean, deviation = ({key: value.to(device) for key, value in part.items()} for part in self[:2])
        return Standard(mean, deviation, self.valence.to(device))


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
        """Returns the network's outputs, valence in the corpus' unit."""
        self.network.eval()
        outputs = []
        for start in range(0, max(1, len(inputs)), BATCH):
            scaled = self.standard.apply(inputs.span(start, start + BATCH))
            outputs.append(self.network(scaled.values, scaled.present))
        features, logits, valence = (torch.cat(parts) for parts in list(zip(*outputs, strict=True))[:3])
        mean, deviation = self.standard.valence
        return NetworkOutput(features, logits, valence * deviation + mean, outputs[0].auxiliary_loss)


@dataclass(frozen=True)
class FoldEnsemble:
    """The networks of all folds, averaged.

    Attributes:
        models: one per fold
        network: arguments of `toolkit.models.network.build_network`
        labels: what the first logits stand for
        activation: ``softmax`` or ``sigmoid``
        valence_range: predictions are kept within it
        facts: whatever else predicting on new clips needs to know, as JSON can hold it
    """

    models: list[FoldModel]
    network: dict[str, Any]
    labels: tuple[str, ...]
    activation: str
    valence_range: tuple[float, float]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """Names of the features the networks read."""
        return sorted(self.network["inputs"])

    def predict(self, inputs: Inputs, folds: Sequence[int] | None = None) -> Prediction:
        """Returns the mean of the folds' probabilities and of the valences of those that learnt any.

        A clip without any feature gets the share of each label, and the mean valence, of the clips trained on.

        Args:
            inputs: at least the features the networks read, as they are in the caches
            folds: the networks asked, all of them if absent
        """
        inputs = inputs.only(self.features)
        models = self.models if folds is None else [self.models[number] for number in folds]
        outputs = [model.run(inputs) for model in models]
        logits = torch.stack([output.emotion_logits[:, : len(self.labels)] for output in outputs])  # (folds, B, labels)
        probabilities = activate(logits.flatten(0, 1), self.activation).unflatten(0, logits.shape[:2]).mean(0)
        valence = torch.stack([output.valence for output in outputs]).nanmean(0).clamp(*self.valence_range)
        known = inputs.usable
        prior = torch.stack([model.prior for model in models]).mean(0)
        probabilities = torch.where(known[:, None], probabilities, prior)
        valence = torch.where(known, valence, torch.stack([model.standard.valence[0] for model in models]).nanmean())
        return Prediction(probabilities.cpu().numpy(), valence.cpu().numpy(), known.cpu().numpy())

    def save(self, path: Path) -> None:
        """Writes weights and normalisation as ``fold<k>/...`` tensors, all else as JSON in the metadata."""
        from safetensors.torch import save_file

        tensors: dict[str, Tensor] = {}
        for number, (network, standard, prior) in enumerate(self.models):
            tensors |= {f"fold{number}/network/{key}": value for key, value in network.state_dict().items()}
            for key in standard.mean:
                tensors[f"fold{number}/mean/{key}"] = standard.mean[key]
                tensors[f"fold{number}/deviation/{key}"] = standard.deviation[key]
            tensors[f"fold{number}/valence"], tensors[f"fold{number}/prior"] = standard.valence, prior
        facts = {
            "folds": len(self.models), "network": self.network, "labels": self.labels, "activation": self.activation,
            "valence_range": self.valence_range, "facts": self.facts,
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
            numbers = range(facts.pop("folds"))
            models = [_fold_model(tensors, f"fold{number}/", facts["network"], device) for number in numbers]
            facts |= {"labels": tuple(facts["labels"]), "valence_range": tuple(facts["valence_range"])}
            return cls(models, **facts)
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise UserError(
                f"{path} holds no model of a run ({error}). Expected RUNS/<track>/<name>/model.safetensors."
            ) from None


def _fold_model(tensors: dict[str, Tensor], prefix: str, arguments: dict[str, Any], device: str) -> FoldModel:
    def part(name: str) -> dict[str, Tensor]:
        start = f"{prefix}{name}/"
        return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}

    network = build_network(**arguments)
    network.load_state_dict(part("network"))
    standard = Standard(part("mean"), part("deviation"), tensors[f"{prefix}valence"])
    return FoldModel(network.to(device).eval(), standard.to(device), tensors[f"{prefix}prior"].to(device))

"""The networks of all folds with what they were normalised by: predicting, saving, loading."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
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
        deviation: ``(dim,)`` by feature, one where a feature does not vary
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
        known = targets.valence[targets.valence.isfinite()]
        if not len(known):
            return cls(mean, deviation, known.new_full((2,), float("nan")))
        spread = known.std(correction=0)
        return cls(mean, deviation, torch.stack([known.mean(), torch.where(spread > 0, spread, spread.new_ones(()))]))

    def apply(self, inputs: Inputs) -> Inputs:
        """Returns standardised features within plus and minus `LIMIT`; those that are not present are zero."""
        values = {}
        for key in self.mean:
            scaled = ((inputs.values[key] - self.mean[key]) / self.deviation[key]).clamp(-LIMIT, LIMIT)
            values[key] = torch.where(inputs.present[key][:, None], scaled, torch.zeros_like(scaled))
        return Inputs(inputs.names, values, {key: inputs.present[key] for key in values})

    def to(self, device: str) -> "Standard":
        """Returns the same on a device."""
        mean, deviation = ({key: value.to(device) for key, value in part.items()} for part in self[:2])
        return Standard(mean, deviation, self.valence.to(device))


class FoldModel(NamedTuple):
    """A trained network and what its inputs are standardised by."""

    network: Network
    standard: Standard

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
        prior: ``(labels,)`` probabilities of a clip without any feature
        prior_valence: valence of such a clip, `None` where no valence was learnt
        valence_range: predictions are kept within it
        facts: whatever else predicting on new clips needs to know, as JSON can hold it
    """

    models: list[FoldModel]
    network: dict[str, Any]
    labels: tuple[str, ...]
    activation: str
    prior: np.ndarray
    prior_valence: float | None
    valence_range: tuple[float, float]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> list[str]:
        """Names of the features the networks read."""
        return sorted(self.network["inputs"])

    def predict(self, inputs: Inputs, folds: Sequence[int] | None = None) -> Prediction:
        """Returns the mean of the folds' probabilities and valences.

        Args:
            inputs: at least the features the networks read, as they are in the caches
            folds: the networks asked, all of them if absent
        """
        inputs = inputs.only(self.features)
        outputs = [self.models[number].run(inputs) for number in (range(len(self.models)) if folds is None else folds)]
        logits = torch.stack([output.emotion_logits[:, : len(self.labels)] for output in outputs])  # (folds, B, labels)
        probabilities = activate(logits.flatten(0, 1), self.activation).unflatten(0, logits.shape[:2]).mean(0)
        valence = torch.stack([output.valence for output in outputs]).mean(0).clamp(*self.valence_range)
        known = inputs.usable.cpu().numpy()
        return Prediction(
            np.where(known[:, None], probabilities.cpu().numpy(), self.prior),
            np.where(
                known, valence.cpu().numpy(), np.float32(np.nan if self.prior_valence is None else self.prior_valence)
            ),
            known,
        )

    def save(self, path: Path) -> None:
        """Writes weights and normalisation as ``fold<k>/...`` tensors, all else as JSON in the metadata."""
        from safetensors.torch import save_file

        tensors: dict[str, Tensor] = {}
        for number, (network, standard) in enumerate(self.models):
            tensors |= {f"fold{number}/network/{key}": value for key, value in network.state_dict().items()}
            for key in standard.mean:
                tensors[f"fold{number}/mean/{key}"] = standard.mean[key]
                tensors[f"fold{number}/deviation/{key}"] = standard.deviation[key]
            tensors[f"fold{number}/valence"] = standard.valence
        facts = {
            "folds": len(self.models), "network": self.network, "labels": self.labels, "activation": self.activation,
            "prior": [float(share) for share in self.prior], "prior_valence": self.prior_valence,
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
        except (OSError, SafetensorError, KeyError) as error:
            raise UserError(
                f"{path} holds no model of a run ({error}). Expected RUNS/<track>/<name>/model.safetensors."
            ) from None
        models = [
            _fold_model(tensors, f"fold{number}/", facts["network"], device) for number in range(facts.pop("folds"))
        ]
        facts |= {"labels": tuple(facts["labels"]), "valence_range": tuple(facts["valence_range"])}
        return cls(models, **facts | {"prior": np.array(facts["prior"], np.float32)})


def _fold_model(tensors: dict[str, Tensor], prefix: str, arguments: dict[str, Any], device: str) -> FoldModel:
    def part(name: str) -> dict[str, Tensor]:
        start = f"{prefix}{name}/"
        return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}

    network = build_network(**arguments)
    network.load_state_dict(part("network"))
    standard = Standard(part("mean"), part("deviation"), tensors[f"{prefix}valence"])
    return FoldModel(network.to(device).eval(), standard.to(device))

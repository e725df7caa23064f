"""The networks of all folds with what they were normalised by: predicting, saving, loading."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from baseline.dataset import Inputs
from baseline.standard import Standard
from baseline.task import Prediction, activate
from toolkit.errors import UserError
from toolkit.models.network import Network, NetworkOutput, build_network


class FoldModel(NamedTuple):
    """A trained network and what is known of the clips that it was trained on.

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
        output = self.network(scaled.features, scaled.present)
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
        """Returns the mean over the models that were taught any of a clip's features; of valence, over those that rate.

        A clip of which none was taught any feature gets the share of each label, and the mean valence, in training.

        Args:
            inputs: at least the features the networks read, as they are in the caches
            folds: whose networks are asked, all of them if absent
        """
        inputs = inputs.only(self.features)
        models = (
            self.models if folds is None else [model for fold in folds for model in self.models[fold :: self.folds]]
        )
        order = None if inputs.lengths is None else inputs.lengths.argsort(stable=True)
        inputs = inputs if order is None else inputs.take(order)
        parts = [self._predict(models, batch) for batch in inputs.batches()]
        prediction = Prediction(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        return prediction if order is None else prediction.take(order.argsort().cpu().numpy())

    def _predict(self, models: Sequence[FoldModel], inputs: Inputs) -> Prediction:
        """Returns the mean over some models for clips of one batch."""
        outputs = [model.run(inputs) for model in models]
        knows = torch.stack([model.standard.usable(inputs) for model in models])  # (models, B)
        logits = torch.stack(
            [output.emotion_logits[:, : len(self.labels)] for output in outputs]
        )  # (models, B, labels)
        if self.mean_of == "logits":
            probabilities = activate(mean_of_some(logits, knows), self.activation)
        else:
            probabilities = mean_of_some(activate(logits, self.activation), knows)
        known = knows.any(0)
        probabilities = torch.where(known[:, None], probabilities, torch.stack([m.prior for m in models]).mean(0))
        usual = torch.stack([model.standard.usual_valence for model in models])  # (models,)
        rates = knows & usual.isfinite()[:, None]
        valence = mean_of_some(torch.stack([output.valence for output in outputs]), rates).clamp(*self.valence_range)
        valence = torch.where(rates.any(0), valence, usual.nanmean())
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
            if standard.usual is not None:
                tensors[f"model{number}/usual_valence"] = standard.usual
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
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(
                f"{path} holds no model of a run ({error}). Expected RUNS/<track>/<name>/model.safetensors."
            ) from None


def mean_of_some(values: Tensor, counts: Tensor) -> Tensor:
    """Returns the mean over the models that count for each clip, ``(clips, ...)``, zero where none does.

    Args:
        values: ``(models, clips, ...)``, whatever where a model does not count
        counts: ``(models, clips)`` boolean
    """
    shape = counts.shape + (1,) * (values.dim() - 2)
    total = torch.where(counts.view(shape), values, 0.0).sum(0)
    return total / counts.sum(0).clamp(min=1).view(shape[1:])


def _fold_model(
    tensors: dict[str, Tensor], prefix: str, arguments: dict[str, Any], limit: float, device: str
) -> FoldModel:
    def part(name: str) -> dict[str, Tensor]:
        start = f"{prefix}{name}/"
        return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}

    network = build_network(**arguments)
    network.load_state_dict(part("network"))
    usual = tensors.get(f"{prefix}usual_valence")
    standard = Standard(part("mean"), part("deviation"), tensors[f"{prefix}valence"], limit, usual)
    return FoldModel(network.to(device).eval(), standard.to(device), tensors[f"{prefix}prior"].to(device))

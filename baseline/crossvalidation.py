"""One network per fold, predictions for each fold by the network that never saw it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from baseline.dataset import Examples
from baseline.fold_models import FoldEnsemble
from baseline.task import Prediction, Task, Truth
from baseline.trainer import Fit, TrainingSettings, fit

Selection = Literal["fold", "inner", "last"]
SELECTIONS: dict[Selection, str] = {
    "fold": "best epoch on the validation fold",
    "inner": "best epoch on another fold, then trained anew with that fold; the validation fold is untouched",
    "last": "the last epoch; the validation fold is untouched",
}


class FoldResult(NamedTuple):
    """What came of one fold: its number, the epoch kept, the clips held out and their scores."""

    fold: int
    epoch: int
    clips: int
    scores: dict[str, float]


@dataclass(frozen=True)
class CrossValidation:
    """What came of all folds.

    Attributes:
        ensemble: the networks
        results: one per fold
        held_out: prediction for every training clip by the network that did not see it
        scores: of ``held_out`` over all clips together
    """

    ensemble: FoldEnsemble
    results: list[FoldResult]
    held_out: Prediction
    scores: dict[str, float]

    @property
    def validation(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation of each score over the folds that have it."""
        names = dict.fromkeys(name for result in self.results for name in result.scores)
        values = {name: [r.scores[name] for r in self.results if name in r.scores] for name in names}
        return {name: {"mean": float(np.mean(v)), "std": float(np.std(v))} for name, v in values.items()}


class Recipe(NamedTuple):
    """How networks are built, trained and chosen.

    Attributes:
        network: ``name`` and options of `toolkit.models.network.build_network`
        training: how each is trained
        select: which epoch is kept
        seed: of everything that is left to chance
        valence_range: lowest and highest valence of the corpus
    """

    network: dict[str, Any]
    training: TrainingSettings
    select: Selection
    seed: int
    valence_range: tuple[float, float]


def cross_validate(
    examples: Examples,
    folds: np.ndarray,
    task: Task,
    recipe: Recipe,
    *,
    additions: Mapping[int, Examples] | None = None,
) -> CrossValidation:
    """Trains one network per fold.

    Clips without any feature, or without anything to learn, take no part in training; the former get the share of
    each label among the training clips as their prediction, and are scored with it.

    Args:
        examples: training clips
        folds: ``(clips,)`` fold numbers from 0
        task: what is learnt
        recipe: how
        additions: more training clips by fold (pseudo-labelled ones); never held out
    """
    arguments = recipe.network | {"inputs": examples.inputs.dims, "classes": len(task.labels)}
    learnable = (examples.inputs.usable & task.known(examples.targets)).cpu().numpy()
    fits, results, truth = [], [], Truth.of(examples.targets)
    count = int(folds.max()) + 1
    for fold in range(count):
        fits.append(
            _fit_fold(fold, count, examples, folds, learnable, task, arguments, recipe, (additions or {}).get(fold))
        )
    valence = examples.targets.valence[examples.targets.valence.isfinite()]
    ensemble = FoldEnsemble(
        [one.model for one in fits], arguments, task.labels, task.activation, task.prior(examples.targets),
        float(valence.mean()) if len(valence) else None, recipe.valence_range,
    )  # fmt: skip
    held_out = _held_out(ensemble, examples, folds)
    for fold, one in enumerate(fits):
        rows = folds == fold
        results.append(FoldResult(fold, one.epoch, int(rows.sum()), task.scores(held_out.take(rows), truth.take(rows))))
    return CrossValidation(ensemble, results, held_out, task.scores(held_out, truth))


def _fit_fold(
    fold: int,
    count: int,
    examples: Examples,
    folds: np.ndarray,
    learnable: np.ndarray,
    task: Task,
    arguments: dict[str, Any],
    recipe: Recipe,
    addition: Examples | None,
) -> Fit:
    seed = int(np.random.SeedSequence([recipe.seed, fold]).generate_state(1)[0])
    settings = recipe.training

    def part(rows: np.ndarray, *, train: bool) -> Examples:
        chosen = examples.take(torch.from_numpy(rows & learnable).to(examples.targets.valence.device))
        return chosen.join(addition) if train and addition is not None else chosen

    outside = folds != fold
    if recipe.select == "inner" and count > 2:
        inner = folds == (fold + 1) % count  # the next fold: balanced by class and free of split groups as any fold is
        tried = fit(
            arguments, task, part(outside & ~inner, train=True), settings, seed=seed, valid=part(inner, train=False)
        )
        settings = settings.model_copy(update={"epochs": tried.epoch})
    valid = part(~outside, train=False) if recipe.select == "fold" else None
    return fit(arguments, task, part(outside, train=True), settings, seed=seed, valid=valid)


def _held_out(ensemble: FoldEnsemble, examples: Examples, folds: np.ndarray) -> Prediction:
    parts = [ensemble.predict(examples.inputs, [fold]) for fold in range(len(ensemble.models))]
    rows = np.arange(len(folds))
    return Prediction(*(np.stack(values)[folds, rows] for values in zip(*parts, strict=True)))

"""One network per fold, predictions for each fold by the network that never saw it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from baseline.config import Selection, TrainingSettings
from baseline.dataset import Examples
from baseline.fold_models import FoldEnsemble
from baseline.task import Prediction, Task, Truth
from baseline.trainer import Fit, fit
from toolkit.errors import UserError


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
        task: what was learnt, with what the held-out predictions decided
        ensemble: the networks
        results: one per fold
        held_out: prediction for every training clip by the network that did not see it
        scores: of ``held_out`` over all clips together
    """

    task: Task
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
        select: which epoch is kept; ``inner`` needs three folds
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
    each label among the clips their network was trained on as their prediction, and are scored with it.

    Args:
        examples: training clips
        folds: ``(clips,)`` fold numbers from 0
        task: what is learnt
        recipe: how
        additions: more training clips by fold (pseudo-labelled ones); never held out

    Raises:
        UserError: training ran off to numbers that are not finite
    """
    arguments = recipe.network | {"inputs": examples.inputs.dims, "classes": task.outputs}
    data = _Folds(examples, folds, (examples.inputs.usable & task.known(examples.targets)).cpu().numpy())
    fits = [_fit_fold(fold, data, task, arguments, recipe, (additions or {}).get(fold)) for fold in range(data.count)]
    models = [one.model for one in fits]
    ensemble = FoldEnsemble(models, arguments, task.labels, task.activation, recipe.valence_range)
    held_out, truth, names = _held_out(ensemble, examples, folds), Truth.of(examples.targets), examples.inputs.names
    if not np.isfinite(held_out.probabilities).all():
        rate = recipe.training.learning_rate
        raise UserError(f"Training diverged at learning rate {rate:g}. Try --set training.learning_rate={rate / 10:g}.")
    task = task.settle(held_out, truth, names)
    results = []
    for fold, one in enumerate(fits):
        rows = np.flatnonzero(folds == fold)
        scores = task.scores(held_out.take(rows), truth.take(rows), [names[row] for row in rows])
        results.append(FoldResult(fold, one.epoch, len(rows), scores))
    ensemble = replace(ensemble, facts=task.facts)
    return CrossValidation(task, ensemble, results, held_out, task.scores(held_out, truth, names))


class _Folds(NamedTuple):
    """Training clips, their folds, and which of them can be learnt from."""

    examples: Examples
    folds: np.ndarray
    learnable: np.ndarray

    @property
    def count(self) -> int:
        return int(self.folds.max()) + 1

    def part(self, rows: np.ndarray) -> Examples:
        """Returns the learnable ones of some clips, by boolean."""
        return self.examples.take(torch.from_numpy(rows & self.learnable).to(self.examples.targets.valence.device))


def _fit_fold(
    fold: int, data: _Folds, task: Task, arguments: dict[str, Any], recipe: Recipe, addition: Examples | None
) -> Fit:
    seed = int(np.random.SeedSequence([recipe.seed, fold]).generate_state(1)[0])
    settings, outside = recipe.training, data.folds != fold

    def train_on(rows: np.ndarray) -> Examples:
        return data.part(rows) if addition is None else data.part(rows).join(addition)

    if recipe.select == "inner":
        inner = data.folds == (fold + 1) % data.count  # balanced by class and free of split groups as any fold is
        tried = fit(arguments, task, train_on(outside & ~inner), settings, seed=seed, valid=data.part(inner))
        settings = settings.model_copy(update={"epochs": tried.epoch})
    valid = data.part(~outside) if recipe.select == "fold" else None
    return fit(arguments, task, train_on(outside), settings, seed=seed, valid=valid)


def _held_out(ensemble: FoldEnsemble, examples: Examples, folds: np.ndarray) -> Prediction:
    parts = [ensemble.predict(examples.inputs, [fold]) for fold in range(len(ensemble.models))]
    rows = np.arange(len(folds))
    return Prediction(*(np.stack(values)[folds, rows] for values in zip(*parts, strict=True)))

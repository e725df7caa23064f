"""One network per fold, predictions for each fold by the network that never saw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from baseline.config import Selection, TrainingSettings
from baseline.dataset import Examples
from baseline.fold_models import FoldEnsemble
from baseline.spread import mean_and_std
from baseline.syllabus import Syllabus
from baseline.task import Prediction, Task, Truth
from baseline.trainer import Fit
from toolkit.errors import UserError


class FoldResult(NamedTuple):
    """What came of one fold.

    Attributes:
        fold: its number
        epoch: the epoch kept
        merit: what that epoch was chosen by, on the fold itself or on the inner one; ``None`` where it is the last
        clips: number of clips held out
        scores: of these clips
    """

    fold: int
    epoch: int
    merit: float | None
    clips: int
    scores: dict[str, float]


@dataclass(frozen=True)
class CrossValidation:
    """What came of all folds.

    Attributes:
        task: what was learnt, with what the held-out predictions decided (`baseline.task.Task.settle`)
        ensemble: the networks
        results: one per fold
        held_out: prediction for every training clip by the network that did not see it
        scores: of ``held_out`` over all clips that are held out once
        seeds: what it was joined of, nothing where there is one seed
    """

    task: Task
    ensemble: FoldEnsemble
    results: list[FoldResult]
    held_out: Prediction
    scores: dict[str, float]
    seeds: tuple["CrossValidation", ...] = ()

    @property
    def diverged(self) -> bool:
        """Whether training ran off to numbers that are not finite."""
        return _ran_off(self.held_out, [result.merit for result in self.results])

    def require_finite(self, rate: float) -> None:
        """Checks that training did not run off.

        Args:
            rate: learning rate, for the message

        Raises:
            UserError: it did
        """
        if self.diverged:
            raise UserError(
                f"Training diverged at learning rate {rate:g}. Try --set training.learning_rate={rate / 10:g}."
            )

    @property
    def merits(self) -> list[float]:
        """What recipes are chosen by: of each fold, what its epoch was chosen by.

        Raises:
            UserError: no clip chose the epoch of a fold
        """
        return _require_chosen([result.merit for result in self.results])

    @property
    def validation(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation of each score over the folds that have it."""
        return mean_and_std([result.scores for result in self.results])


class Recipe(NamedTuple):
    """How networks are built, trained and chosen.

    Attributes:
        network: ``name`` and options of `toolkit.models.network.build_network`
        training: how each is trained
        select: which epoch is kept; ``inner`` needs three folds
        seed: of everything that is left to chance
        valence_range: lowest and highest valence of the corpus
        mean_of: what the networks' predictions are averaged as
    """

    network: dict[str, Any]
    training: TrainingSettings
    select: Selection
    seed: int
    valence_range: tuple[float, float]
    mean_of: Literal["probabilities", "logits"] = "probabilities"


def cross_validate(
    examples: Examples,
    folds: np.ndarray,
    task: Task,
    recipe: Recipe,
    *,
    additions: Mapping[int, Examples] | None = None,
) -> CrossValidation:
    """Trains one network per fold; arguments as of `cross_validate_all`.

    Raises:
        UserError: training ran off to numbers that are not finite
    """
    result = cross_validate_all(examples, folds, task, [recipe], additions=additions)[0]
    result.require_finite(recipe.training.learning_rate)
    return result


def cross_validate_all(
    examples: Examples,
    folds: np.ndarray,
    task: Task,
    recipes: Sequence[Recipe],
    *,
    additions: Mapping[int, Examples] | None = None,
) -> list[CrossValidation]:
    """Trains one network per fold for each recipe, all of them side by side.

    Clips without any feature, or without anything to learn, take no part in training; the former get the share of
    each label among the clips their network was trained on as their prediction, and are scored with it.

    Args:
        examples: training clips
        folds: ``(clips,)`` fold numbers from 0; -1 for clips that are in training whichever fold is held out
        task: what is learnt
        recipes: how
        additions: more training clips by fold (pseudo-labelled ones); never held out
    """
    syllabus = Syllabus(examples, folds, task, additions or {})
    fits = syllabus.fit(recipes)
    return [_scored(syllabus, recipe, own) for recipe, own in zip(recipes, fits, strict=True)]


def merits_of_all(
    examples: Examples, folds: np.ndarray, task: Task, recipes: Sequence[Recipe]
) -> list[list[float] | None]:
    """Returns by what each recipe may be chosen: the merit of each fold, as of `FoldResult`, and nothing besides.

    Where another fold chose the epoch, nothing is trained anew with that fold: half of the work of a search.

    Args:
        examples: training clips
        folds: as of `cross_validate_all`
        task: what is learnt
        recipes: how

    Returns:
        by recipe one number per fold, ``None`` where training ran off to numbers that are not finite

    Raises:
        UserError: no clip chose the epoch of a fold
    """
    syllabus = Syllabus(examples, folds, task, {})
    merits: list[list[float] | None] = []
    for recipe, fits in zip(recipes, syllabus.fit(recipes, finish=False), strict=True):
        chosen = _require_chosen([one.merit for one in fits])
        ran_off = _ran_off(_held_out(_ensemble(syllabus, recipe, fits), examples, folds), chosen)
        merits.append(None if ran_off else chosen)
    return merits


def join_seeds(
    results: Sequence[CrossValidation], examples: Examples, folds: np.ndarray, task: Task
) -> CrossValidation:
    """Returns one cross-validation of several with other seeds: the same folds, all networks averaged.

    Args:
        results: of the seeds
        examples: training clips
        folds: as of `cross_validate_all`
        task: as it was before any of them settled it
    """
    if len(results) == 1:
        return results[0]
    ensemble = FoldEnsemble.of_seeds([result.ensemble for result in results])
    choices = []
    for same in zip(*(result.results for result in results), strict=True):
        merits = [one.merit for one in same if one.merit is not None]
        choices.append((round(float(np.mean([one.epoch for one in same]))), float(np.mean(merits)) if merits else None))
    return replace(_assess(ensemble, choices, examples, folds, task), seeds=tuple(results))


def _scored(syllabus: Syllabus, recipe: Recipe, fits: Sequence[Fit]) -> CrossValidation:
    choices = [(one.epoch, one.merit) for one in fits]
    return _assess(_ensemble(syllabus, recipe, fits), choices, syllabus.examples, syllabus.folds, syllabus.task)


def _ensemble(syllabus: Syllabus, recipe: Recipe, fits: Sequence[Fit]) -> FoldEnsemble:
    task = syllabus.task
    return FoldEnsemble(
        [one.model for one in fits],
        recipe.network | {"inputs": syllabus.examples.inputs.dims, "classes": task.outputs},
        task.labels,
        task.activation,
        recipe.valence_range,
        folds=len(fits),
        mean_of=recipe.mean_of,
    )


def _assess(
    ensemble: FoldEnsemble,
    choices: Sequence[tuple[int, float | None]],
    examples: Examples,
    folds: np.ndarray,
    task: Task,
) -> CrossValidation:
    """Returns what the networks of all folds say of the clips that they did not see; epoch and merit come by fold."""
    held_out, truth, names = _held_out(ensemble, examples, folds), Truth.of(examples.targets), examples.inputs.names

    def part(rows: np.ndarray) -> tuple[Prediction, Truth, list[str]]:
        return held_out.take(rows), truth.take(rows), [names[row] for row in rows]

    everyone = np.flatnonzero(folds >= 0)
    if not _ran_off(held_out, [merit for _, merit in choices]):  # there is nothing to settle otherwise
        task = task.settle(*part(everyone), folds[everyone])
    results = []
    for fold, (epoch, merit) in enumerate(choices):
        rows = np.flatnonzero(folds == fold)
        results.append(FoldResult(fold, epoch, merit, len(rows), task.scores(*part(rows))))
    ensemble = replace(ensemble, facts=ensemble.facts | task.facts)
    return CrossValidation(task, ensemble, results, held_out, task.scores(*part(everyone)))


def _require_chosen(merits: Sequence[float | None]) -> list[float]:
    for fold, merit in enumerate(merits):
        if merit is None:
            raise UserError(
                f"Nothing chose the epoch of fold {fold}, so that networks cannot be ranked: none of the clips that "
                "would have chosen it has both a label and one of the features. Use other features, --folds or --group."
            )
    return list(merits)


def _ran_off(prediction: Prediction, merits: Sequence[float | None]) -> bool:
    """Returns whether a network gave numbers that are none; a valence that was not learnt is NaN rightly.

    Args:
        prediction: of held-out clips
        merits: of the epochs kept, on the clips that chose them
    """
    if not all(merit is None or np.isfinite(merit) for merit in merits):
        return True
    has_labels = prediction.probabilities.shape[1] > 0
    return not np.isfinite(prediction.probabilities if has_labels else prediction.valence).all()


def _held_out(ensemble: FoldEnsemble, examples: Examples, folds: np.ndarray) -> Prediction:
    """Returns for each clip what the networks say that did not see it; of one always seen, those of the first fold."""
    asked = torch.from_numpy(np.maximum(folds, 0))
    rows = [(asked == fold).nonzero()[:, 0] for fold in range(ensemble.folds)]
    device = examples.targets.valence.device
    parts = [ensemble.predict(examples.inputs.take(own.to(device)), [fold]) for fold, own in enumerate(rows)]
    back = torch.cat(rows).argsort().numpy()
    return Prediction(*(np.concatenate(values)[back] for values in zip(*parts, strict=True)))

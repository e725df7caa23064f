"""Choosing fold by fold: where no test clips are left to score, each fold is predicted by what the others chose."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from baseline.basis import HELD_OUT, Score, held_out_score, scored_splits, scores_of
from baseline.crossvalidation import CrossValidation
from baseline.study import Study
from baseline.task import Prediction, Truth

Choice = TypeVar("Choice", bound=Hashable)


class Chosen(NamedTuple):
    """What came of a choice between networks.

    Attributes:
        merits: ``(seeds, folds)`` what the epoch of each network was chosen by
        scores: by test split, or of held-out folds where there is none
    """

    merits: list[list[float]]
    scores: dict[str, Score]


def is_nested(study: Study) -> bool:
    """Says whether the held-out folds are scored, each predicted by what the other folds chose."""
    return study.recipe.select == "inner" and not scored_splits(study)


def train_choices(study: Study, choices: Sequence[Choice], train: Callable[[Choice], CrossValidation]) -> Chosen:
    """Returns what comes of networks that may differ by fold.

    The merit that chooses for a fold is measured on another fold, by networks that never saw the former (`Syllabus`),
    so that no label of a fold decides by what it is predicted (Varma & Simon 2006, BMC Bioinformatics 7:91: a nested
    cross-validation).

    Args:
        study: the data
        choices: one by fold; all the same where a test split is scored
        train: from a choice to its networks
    """
    results = {choice: train(choice) for choice in dict.fromkeys(choices)}
    by_fold = [results[choice] for choice in choices]
    merits = np.array([[result.merits[k] for k, result in enumerate(seeds)] for seeds in _by_seed(by_fold)])
    alike = len(results) == 1
    scores = scores_of(study, by_fold[0]) if alike else {HELD_OUT: _nested_score(study, by_fold)}
    return Chosen(merits.tolist(), scores)


def _by_seed(by_fold: Sequence[CrossValidation]) -> list[tuple[CrossValidation, ...]]:
    return list(zip(*((result.seeds or (result,)) for result in by_fold), strict=True))


def _nested_score(study: Study, by_fold: Sequence[CrossValidation]) -> Score:
    held_out = Prediction(*(np.array(part) for part in by_fold[0].held_out))
    for fold, result in enumerate(by_fold):
        rows = study.folds == fold
        for whole, part in zip(held_out, result.held_out, strict=True):
            whole[rows] = part[rows]
    rows = np.flatnonzero(study.folds >= 0)
    truth, names = Truth.of(study.training.targets).take(rows), study.training.inputs.names
    task = study.task.settle(held_out.take(rows), truth, [names[row] for row in rows], study.folds[rows])
    return held_out_score(study, task, held_out)

"""Scores that know the clips through sums alone, so that thousands of resamples of clips are one matrix product."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.class_counts import ClassCounts, share, weighted_f1_of
from toolkit.metrics.classification import class_codes
from toolkit.metrics.regression import Moments, number_pair, pearson_of

Formula = Callable[[np.ndarray], np.ndarray]  # sums (..., terms) to scores (...)
ROUNDING = 1e-12  # share of a mean square that rounding can leave of a variance of zero


@dataclass(frozen=True, eq=False)
class Tally:
    """One score of one set of predictions.

    Attributes:
        terms: what each clip adds, ``(clips, terms)`` float64
        formula: the score that the sums of the terms make
    """

    terms: np.ndarray
    formula: Formula

    @property
    def score(self) -> float:
        """The score of all clips, each once."""
        return float(self.formula(self.terms.sum(axis=0)))

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Returns the scores ``(resamples,)`` where clips count as often as ``weights`` ``(resamples, clips)`` say."""
        return self.formula(weights @ self.terms)

    def only(self, rows: np.ndarray) -> "Tally":
        """Returns the score of some of the clips, ``(clips,)`` bool; the others stay and add nothing."""
        return Tally(self.terms * rows[:, None], self.formula)


def class_tally(
    truth: Sequence[Any],
    prediction: Sequence[Any],
    labels: Sequence[Any],
    formula: Callable[[ClassCounts], np.ndarray] = weighted_f1_of,
) -> Tally:
    """Returns the tally of a score of classes.

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class
        formula: of ``toolkit.metrics.class_counts``: `weighted_f1_of`, `macro_f1_of`, `accuracy_of` ...

    Raises:
        UserError: the lengths differ, there are no clips, or a class is missing or not among the labels
    """
    true, guess = class_codes(truth, prediction, labels)
    one_hot = np.eye(len(labels))
    support, predicted = one_hot[true], one_hot[guess]
    terms = np.concatenate([support, predicted, support * predicted], axis=1)
    return Tally(terms, lambda sums: formula(ClassCounts(*np.split(sums, 3, axis=-1))))


def mean_tally(values: Sequence[float]) -> Tally:
    """Returns the tally of a mean: of squared errors, of hits (0 or 1), of the scores of several runs ...

    Args:
        values: ``(clips,)`` numbers; a clip with NaN adds nothing, such as one whose valence is not known

    Raises:
        UserError: there are no numbers
    """
    numbers = np.asarray(values, np.float64)
    known = ~np.isnan(numbers)
    if not known.any():
        raise UserError(f"None of {numbers.size} values to be averaged is a number; expected at least one.")
    terms = np.stack([np.where(known, numbers, 0), known], axis=1)
    return Tally(terms, lambda sums: share(sums[..., 0], sums[..., 1]))


def number_tally(
    truth: Sequence[float], prediction: Sequence[float], formula: Callable[[Moments], np.ndarray] = pearson_of
) -> Tally:
    """Returns the tally of a correlation.

    Args:
        truth: ``(clips,)`` true numbers
        prediction: ``(clips,)`` predicted numbers
        formula: `pearson_of` or `concordance_of` of ``toolkit.metrics.regression``

    Raises:
        UserError: the lengths differ, there are no clips, or a number is not finite
    """
    true, guess = number_pair(truth, prediction)
    # From the truth's mean on, the same for every prediction, so that clips of two predictions can change places.
    true, guess = true - true.mean(), guess - true.mean()
    terms = np.stack([np.ones_like(true), true, guess, true**2, guess**2, true * guess], axis=1)
    return Tally(terms, lambda sums: formula(_moments(sums)))


def joined(first: Tally, second: Tally, formula: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Tally:
    """Returns the tally of a score made of two, such as ``WAF - 0.25 MSE`` by `emotion_valence_score`.

    Args:
        first: the one
        second: the other, of the same clips
        formula: from both scores to one

    Raises:
        UserError: they are of different numbers of clips
    """
    if len(first.terms) != len(second.terms):
        raise UserError(f"Got scores of {len(first.terms)} and {len(second.terms)} clips. Expected the same clips.")
    middle = first.terms.shape[1]
    return Tally(
        np.concatenate([first.terms, second.terms], axis=1),
        lambda sums: formula(first.formula(sums[..., :middle]), second.formula(sums[..., middle:])),
    )


def _moments(sums: np.ndarray) -> Moments:
    clips, *rest = np.moveaxis(sums, -1, 0)
    true, guess, true_square, guess_square, product = (share(part, clips) for part in rest)
    return Moments(guess - true, _variance(true_square, true), _variance(guess_square, guess), product - true * guess)


def _variance(square: np.ndarray, mean: np.ndarray) -> np.ndarray:
    variance = square - mean**2
    return np.where(variance > ROUNDING * square, variance, 0.0)

"""Scores of one class out of several, from the classes of the clips."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import UserError
from toolkit.metrics.class_counts import class_f1_of, counts_of, macro_f1_of, unweighted_recall_of, weighted_f1_of


def confusion(truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any]) -> np.ndarray:
    """Returns how often each true class (rows) was taken for each class (columns), ``(classes, classes)`` int64.

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class, in the order wanted; with ``range(n)`` and integer arrays it takes some microseconds

    Raises:
        UserError: the lengths differ, there are no clips, or a class is missing (NaN) or not among the labels

    Examples:
        >>> confusion(["sad", "sad", "happy"], ["sad", "happy", "happy"], ["happy", "sad"]).tolist()
        [[1, 0], [1, 1]]
    """
    true, guess = class_codes(truth, prediction, labels)
    classes = len(labels)
    return np.bincount(true * classes + guess, minlength=classes**2).reshape(classes, classes)


def class_codes(
    truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places of true and predicted classes among the labels, each ``(clips,)``.

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class

    Raises:
        UserError: as `confusion`
    """
    # Training scores every epoch of every fold: classes that are their own codes must not be looked up one by one.
    if _are_codes(truth, labels) and _are_codes(prediction, labels) and len(truth) == len(prediction):
        return truth.astype(np.intp, copy=False), prediction.astype(np.intp, copy=False)
    true, guess = _pair(truth, prediction)
    codes = {label: code for code, label in enumerate(labels)}
    return _look_up(true, codes, "true"), _look_up(guess, codes, "predicted")


def _are_codes(values: Any, labels: Sequence[Any]) -> bool:
    return (
        isinstance(labels, range)
        and labels == range(len(labels))
        and _integers(values)
        and values.size > 0
        and values.min() >= 0
        and values.max() < len(labels)
    )


def _integers(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "iu"


def _pair(truth: Sequence[Any], prediction: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    true, guess = _classes(truth, "true"), _classes(prediction, "predicted")
    if true.shape != guess.shape or true.size == 0:
        raise UserError(f"{true.size} true and {guess.size} predicted classes; expected as many of both, at least one.")
    return true, guess


def _classes(values: Sequence[Any], side: str) -> np.ndarray:
    if _integers(values):
        return values
    array = np.asarray(values if isinstance(values, np.ndarray) else pd.Series(list(values), dtype=object))
    if array.ndim != 1:
        raise UserError(f"The {side} classes have the shape {array.shape}. Expected (clips,).")
    if pd.isna(array).any():  # asked before numpy can turn NaN among words into the word "nan"
        raise UserError(f"A {side} class is missing (NaN); leave clips without a label out.")
    return array


def _look_up(values: np.ndarray, codes: dict[Any, int], side: str) -> np.ndarray:
    unknown = next((label for label in values if label not in codes), None)
    if unknown is not None:
        raise UserError(f"'{unknown}' as {side} class is not among {', '.join(map(str, codes))}.")
    return np.array([codes[label] for label in values], np.intp)


def likeliest(scores: np.ndarray) -> np.ndarray:
    """Returns the class of the highest score of each clip, ``(clips,)``.

    Args:
        scores: ``(clips, classes)`` probabilities or logits

    Raises:
        UserError: a score is NaN, of which the first would count as the highest
    """
    if np.isnan(scores).any():
        raise UserError("A score of a class is NaN: the network that gave it diverged. Leave its clips out.")
    return scores.argmax(axis=1)


def class_f1(truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any]) -> np.ndarray:
    """Returns the F1 of each class in the order of the labels, ``(classes,)``; 0 of one that occurs nowhere.

    Raises:
        UserError: as `confusion`
    """
    return class_f1_of(counts_of(confusion(truth, prediction, labels)))


def weighted_f1(truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any] | None = None) -> float:
    """Returns the mean of the classes' F1, weighted by how many clips each class truly has (WAF of the challenges).

    A class that is neither true nor predicted anywhere weighs nothing; one that is never predicted has F1 zero
    (scikit-learn, ``f1_score(average="weighted", zero_division=0)``).

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class, those that occur if absent

    Raises:
        UserError: as `confusion`
    """
    return float(weighted_f1_of(counts_of(confusion(truth, prediction, _all(labels, truth, prediction)))))


def macro_f1(truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any] | None = None) -> float:
    """Returns the plain mean of the classes' F1.

    With labels, one that occurs nowhere counts as 0, as the ABAW challenges have it; without, only the classes that
    are true or predicted somewhere count, as in scikit-learn and torchmetrics. The two differ where a class is absent.

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class, those that occur if absent

    Raises:
        UserError: as `confusion`

    Examples:
        >>> macro_f1([0, 1], [0, 1]), macro_f1([0, 1], [0, 1], range(4))
        (1.0, 0.5)
    """
    return float(macro_f1_of(counts_of(confusion(truth, prediction, _all(labels, truth, prediction)))))


def unweighted_recall(truth: Sequence[Any], prediction: Sequence[Any]) -> float:
    """Returns the mean of the recalls of the classes that occur in the truth (UAR); errors as `confusion`."""
    return float(unweighted_recall_of(counts_of(confusion(truth, prediction, _all(None, truth, prediction)))))


def accuracy(truth: Sequence[Any], prediction: Sequence[Any]) -> float:
    """Returns the share of clips whose class is right; errors as `confusion`."""
    true, guess = _pair(truth, prediction)
    return float(np.mean(true == guess))


def _all(labels: Sequence[Any] | None, truth: Sequence[Any], prediction: Sequence[Any]) -> Sequence[Any]:
    if labels is not None:
        return labels
    return list(dict.fromkeys([*_classes(truth, "true").tolist(), *_classes(prediction, "predicted").tolist()]))

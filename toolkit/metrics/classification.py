"""Scores of one class out of several."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import UserError


def confusion(truth: Sequence[Any], prediction: Sequence[Any], labels: Sequence[Any]) -> np.ndarray:
    """Returns how often each true class (rows) was taken for each class (columns), ``(classes, classes)`` int64.

    Args:
        truth: ``(clips,)`` true classes
        prediction: ``(clips,)`` predicted classes
        labels: every class, in the order wanted

    Raises:
        UserError: the lengths differ, there are no clips, or a class is missing (NaN) or not among the labels

    Examples:
        >>> confusion(["sad", "sad", "happy"], ["sad", "happy", "happy"], ["happy", "sad"]).tolist()
        [[1, 0], [1, 1]]
    """
    true, guess = _classes(truth, "true"), _classes(prediction, "predicted")
    if true.shape != guess.shape or true.size == 0:
        raise UserError(f"{true.size} true and {guess.size} predicted classes; expected as many of both, at least one.")
    codes = {label: code for code, label in enumerate(labels)}
    pairs = [
        (_code(one, codes, "true"), _code(other, codes, "predicted")) for one, other in zip(true, guess, strict=True)
    ]
    rows, columns = np.array(pairs).T
    return np.bincount(rows * len(codes) + columns, minlength=len(codes) ** 2).reshape(len(codes), len(codes))


def _classes(values: Sequence[Any], side: str) -> np.ndarray:
    array = np.asarray(values if isinstance(values, np.ndarray) else pd.Series(list(values), dtype=object))
    if pd.isna(array).any():  # asked before numpy can turn NaN among words into the word "nan"
        raise UserError(f"A {side} class is missing (NaN); leave clips without a label out.")
    return array


def _code(label: Any, codes: dict[Any, int], side: str) -> int:
    if label not in codes:
        raise UserError(f"'{label}' as {side} class is not among {', '.join(map(str, codes))}.")
    return codes[label]


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
    matrix = confusion(truth, prediction, _occurring(truth, prediction) if labels is None else labels)
    support, predicted, right = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    f1 = 2 * right / np.maximum(support + predicted, 1)
    return float((f1 * support).sum() / support.sum())


def accuracy(truth: Sequence[Any], prediction: Sequence[Any]) -> float:
    """Returns the share of clips whose class is right."""
    matrix = confusion(truth, prediction, _occurring(truth, prediction))
    return float(matrix.trace() / matrix.sum())


def unweighted_recall(truth: Sequence[Any], prediction: Sequence[Any]) -> float:
    """Returns the mean of the recalls of the classes that occur in the truth (UAR)."""
    matrix = confusion(truth, prediction, _occurring(truth, prediction))
    support = matrix.sum(axis=1)
    return float((matrix.diagonal()[support > 0] / support[support > 0]).mean())


def _occurring(truth: Sequence[Any], prediction: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys([*_classes(truth, "true").tolist(), *_classes(prediction, "predicted").tolist()]))

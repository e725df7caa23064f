"""How often each class is true, predicted and right, and every score that is made of these counts alone."""

from typing import NamedTuple

import numpy as np


class ClassCounts(NamedTuple):
    """Numbers of clips per class, each ``(..., classes)``; leading dimensions are predictions side by side.

    Attributes:
        support: clips that are of the class
        predicted: clips that are taken for the class
        right: clips that are both
    """

    support: np.ndarray
    predicted: np.ndarray
    right: np.ndarray


def counts_of(matrix: np.ndarray) -> ClassCounts:
    """Returns the counts of a confusion table ``(classes, classes)`` with the true classes as rows."""
    return ClassCounts(matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal())


def class_f1_of(counts: ClassCounts) -> np.ndarray:
    """Returns each class's F1: ``2 right / (support + predicted)``, 0 of a class without clips, ``(..., classes)``.

    The harmonic mean of precision and recall (van Rijsbergen 1979, *Information Retrieval*, chapter 7).
    """
    return 2 * counts.right / np.maximum(counts.support + counts.predicted, 1)


def weighted_f1_of(counts: ClassCounts) -> np.ndarray:
    """Returns the mean of the classes' F1, each weighing as much as it has true clips, ``(...)``; NaN without clips."""
    return share((class_f1_of(counts) * counts.support).sum(axis=-1), counts.support.sum(axis=-1))


def macro_f1_of(counts: ClassCounts) -> np.ndarray:
    """Returns the plain mean of the classes' F1, ``(...)``; classes without clips count, with 0."""
    return class_f1_of(counts).mean(axis=-1)


def unweighted_recall_of(counts: ClassCounts) -> np.ndarray:
    """Returns the mean of ``right / support`` over the classes that have true clips, ``(...)``; NaN without clips."""
    recalls = counts.right / np.maximum(counts.support, 1)
    return share(recalls.sum(axis=-1), (counts.support > 0).sum(axis=-1))


def accuracy_of(counts: ClassCounts) -> np.ndarray:
    """Returns the share of clips that are right, ``(...)``; NaN without clips."""
    return share(counts.right.sum(axis=-1), counts.support.sum(axis=-1))


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Returns ``part / whole``, NaN where the whole is 0.

    Examples:
        >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
        [0.25, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)

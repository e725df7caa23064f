"""What predictions and counts say beyond the scores: calibration, mistakes, words, and what guessing would get."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd


class Calibration(NamedTuple):
    """How probabilities agree with outcomes.

    Attributes:
        edges: ``(bins + 1,)`` of the probability of the predicted class
        count: ``(bins,)`` clips
        confidence: ``(bins,)`` mean probability, NaN in an empty bin
        accuracy: ``(bins,)`` share that was right, NaN in an empty bin
        error: expected calibration error, the mean gap of the two weighted by clips
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float


class Mistake(NamedTuple):
    """A clip that was got wrong.

    Attributes:
        name: clip name
        split: where it was predicted
        truth: its emotion
        prediction: the emotion predicted
        confidence: probability of the prediction
        probabilities: of every class
    """

    name: str
    split: str
    truth: str
    prediction: str
    confidence: float
    probabilities: dict[str, float]


class Confusion(NamedTuple):
    """One kind of mistake: ``count`` of the ``total`` clips of ``truth`` were taken for ``prediction``."""

    truth: str
    prediction: str
    count: int
    total: int


class Guess(NamedTuple):
    """What always answering the most frequent class would get."""

    label: str
    weighted_f1: float
    accuracy: float


class WordCount(NamedTuple):
    """In how many clips a word is true, predicted, and both."""

    word: str
    true: int
    predicted: int
    both: int


class WordClip(NamedTuple):
    """A clip's true and predicted words, and the share of their union that they have in common."""

    name: str
    split: str
    shared: list[str]
    missed: list[str]
    wrong: list[str]
    overlap: float


def calibrate(confidence: np.ndarray, right: np.ndarray, bins: int = 10) -> Calibration:
    """Returns the reliability of probabilities (Guo et al., arXiv 1706.04599, equations 2 to 5).

    Args:
        confidence: ``(N,)`` probability of the predicted class
        right: ``(N,)`` booleans
        bins: equal parts of 0 to 1
    """
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(places, confidence, bins) / count
        accuracy = np.bincount(places, right, bins) / count
    error = float(np.nansum(count * np.abs(accuracy - mean)) / max(1, len(confidence)))
    return Calibration(edges, count, mean, accuracy, error)


def confident_mistakes(table: pd.DataFrame, labels: Sequence[str], limit: int) -> list[Mistake]:
    """Returns the clips got wrong with the highest probability, surest first.

    Args:
        table: rows of ``predictions.read_predictions`` whose emotion is known
        labels: classes with a column ``p:LABEL``
        limit: how many at most
    """
    wrong = table[table["emotion"] != table["true_emotion"]]
    wrong = wrong.sort_values(["confidence", "name"], ascending=[False, True]).head(limit)
    return [
        Mistake(
            row["name"],
            row["split"],
            row["true_emotion"],
            row["emotion"],
            float(row["confidence"]),
            {label: float(row[f"p:{label}"]) for label in labels},
        )
        for _, row in wrong.iterrows()
    ]


def main_confusions(labels: Sequence[str], matrix: Sequence[Sequence[int]], limit: int = 3) -> list[Confusion]:
    """Returns the most frequent mistakes of a confusion matrix, ``(classes, classes)`` with true classes in rows."""
    found = [
        Confusion(labels[row], labels[column], int(count), int(sum(line)))
        for row, line in enumerate(matrix)
        for column, count in enumerate(line)
        if row != column and count
    ]
    return sorted(found, key=lambda item: (-item.count, -item.count / item.total, item.truth))[:limit]


def guess_most_frequent(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> Guess | None:
    """Returns what always answering the most frequent true class of a confusion matrix gets, ``None`` without clips.

    With a share p of the clips, that class has precision p and recall 1, so F1 is 2 p / (1 + p) and all others' is 0.
    """
    totals = [sum(line) for line in matrix]
    if not sum(totals):
        return None
    share = max(totals) / sum(totals)
    return Guess(labels[totals.index(max(totals))], share * 2 * share / (1 + share), share)


def count_words(
    truth: Mapping[str, Sequence[str]], prediction: Mapping[str, Sequence[str]], limit: int
) -> list[WordCount]:
    """Returns the words that are most often true or predicted, most frequent first, counted in clips that have both."""
    names = truth.keys() & prediction.keys()
    true = Counter(word for name in names for word in set(truth[name]))
    predicted = Counter(word for name in names for word in set(prediction[name]))
    both = Counter(word for name in names for word in set(truth[name]) & set(prediction[name]))
    words = sorted(true.keys() | predicted.keys(), key=lambda word: (-true[word] - predicted[word], word))
    return [WordCount(word, true[word], predicted[word], both[word]) for word in words[:limit]]


def worst_word_clips(table: pd.DataFrame, limit: int) -> list[WordClip]:
    """Returns the clips whose true and predicted words have least in common, those with most true words first.

    Args:
        table: rows of ``predictions.read_predictions`` with lists in ``openset`` and ``true_openset``
        limit: how many at most
    """
    clips = []
    for _, row in table.iterrows():
        true, predicted = set(row["true_openset"]), set(row["openset"])
        shared = true & predicted
        overlap = len(shared) / len(true | predicted) if true | predicted else 1.0
        parts = (sorted(shared), sorted(true - predicted), sorted(predicted - true))
        clips.append(WordClip(row["name"], row["split"], *parts, overlap))
    return sorted(clips, key=lambda clip: (clip.overlap, -len(clip.missed), clip.name))[:limit]

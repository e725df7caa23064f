"""Any number of words per clip, out of a vocabulary learnt from the training clips."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from baseline.dataset import Targets, read_targets
from baseline.task import Prediction, Task, Truth
from toolkit.corpus import Corpus
from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import Groups, format_words, parse_words, set_scores
from toolkit.metrics.wheel import LEVELS, Wheels, wheel_scores
from toolkit.models.network import NetworkOutput

COARSE = np.arange(0.05, 1.0, 0.05)  # thresholds tried at every epoch
FINE = np.arange(0.01, 1.0, 0.01)  # thresholds tried once, at the end
# A clip none of whose words reaches the threshold still gets its most probable one, unless even that is this much
# less probable than the threshold: no word scores nothing, a wrong one neither.
FLOOR = 0.5


def choose_words(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Returns which words are said, ``(clips, vocabulary)`` boolean.

    Every word at or above the threshold; where there is none, the most probable one if it reaches half the threshold.

    Args:
        probabilities: ``(clips, vocabulary)``
        threshold: from 0 to 1

    Examples:
        >>> choose_words(np.array([[0.7, 0.6], [0.4, 0.3], [0.1, 0.2]]), 0.5).tolist()
        [[True, True], [True, False], [False, False]]
    """
    chosen = probabilities >= threshold
    best = probabilities.argmax(1)
    rows = np.flatnonzero(~chosen.any(1) & (probabilities.max(1) >= FLOOR * threshold))
    chosen[rows, best[rows]] = True
    return chosen


def words_of_clips(corpus: Corpus) -> dict[str, list[str]]:
    """Returns the words of the clips that have any in column ``openset``, by name.

    Raises:
        UserError: a cell is no list of words; the message names the clip
    """
    words = {}
    for name, cell in zip(corpus.table["name"], corpus.table["openset"], strict=True):
        if not pd.isna(cell):
            try:
                words[name] = parse_words(cell)
            except UserError as error:
                raise UserError(f"Corpus '{corpus.name}', clip '{name}': {error}") from None
    return words


def words_of_classes(corpus: Corpus, wheels: Wheels, neighbours: int) -> dict[str, list[str]]:
    """Returns words for the clips that have an emotion: the class itself and its neighbours on the wheel.

    Args:
        corpus: clips with classes
        wheels: where words stand
        neighbours: words beside the class at most, in alphabetical order
    """
    near = {
        emotion: [emotion, *[word for word in wheels.neighbours(emotion) if word != emotion][:neighbours]]
        for emotion in corpus.emotions
    }
    pairs = zip(corpus.table["name"], corpus.table["emotion"], strict=True)
    return {name: near[emotion] for name, emotion in pairs if isinstance(emotion, str)}


def learn_vocabulary(words: Sequence[Sequence[str]], minimum: int) -> tuple[str, ...]:
    """Returns the words that so many clips have, the most frequent first, equals by the alphabet.

    Raises:
        UserError: there is none
    """
    counts = Counter(word for clip in words for word in set(clip))
    vocabulary = [
        word for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= minimum
    ]
    if not vocabulary:
        raise UserError(
            f"No open-set word stands with {minimum} or more of the {len(words)} training clips that have words. "
            "Use --set options.min_count=1, or training clips with the column openset."
        )
    return tuple(vocabulary)


class VocabularyTask(Task):
    """Words of a vocabulary, each on its own (binary cross-entropy), those above one threshold said.

    Args:
        labels: the vocabulary
        words: true words of every clip that has any known, of all splits
        wheels: for the wheel score
        groups: synonym groups by clip for the set scores; equal words only if absent
        threshold: probability from which a word is said; chosen on held-out predictions if absent
    """

    activation = "sigmoid"
    score_name = "set score"

    def __init__(
        self,
        labels: tuple[str, ...],
        words: Mapping[str, Sequence[str]],
        wheels: Wheels,
        *,
        groups: Groups | None = None,
        threshold: float | None = None,
    ) -> None:
        self.labels = labels
        self.words = words
        self.wheels = wheels
        self.groups = groups
        self.threshold = threshold

    def targets(self, corpus: Corpus, device: str) -> Targets:
        """One column per word of the vocabulary; valence is not learnt here."""
        column = {word: number for number, word in enumerate(self.labels)}
        held = np.full((len(corpus), len(self.labels)), np.nan, np.float32)
        for row, name in enumerate(corpus.table["name"]):
            if name in self.words:
                held[row] = 0
                held[row, [column[word] for word in self.words[name] if word in column]] = 1
        targets = read_targets(corpus, device)
        unknown = torch.full_like(targets.valence, float("nan"))
        return targets._replace(words=torch.from_numpy(held).to(device), valence=unknown)

    def known(self, targets: Targets) -> Tensor:
        """True where the words are known, even if there are none."""
        return targets.words.isfinite().all(1)

    def loss(self, output: NetworkOutput, targets: Targets) -> Tensor:
        """Binary cross-entropy, averaged over words and over the clips whose words are known."""
        known = self.known(targets)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            output.emotion_logits, targets.words.nan_to_num(), reduction="none"
        ).mean(1)  # (B,)
        return torch.where(known, loss, loss.new_zeros(())).sum() / known.sum().clamp(min=1)

    def prior(self, targets: Targets) -> np.ndarray:
        """Share of the clips that have each word."""
        rows = targets.words[self.known(targets)]
        return (rows.sum(0) / max(1, len(rows))).cpu().numpy()

    def merit(self, prediction: Prediction, truth: Truth) -> float:
        """The set score within the vocabulary at the best of a few thresholds."""
        known = np.isfinite(truth.words).all(1)
        held = truth.words[known] > 0
        if not known.any():
            return 0.0
        return max(_set_score(prediction.probabilities[known], held, held.sum(1), float(t)) for t in COARSE)

    def settle(self, prediction: Prediction, truth: Truth, names: Sequence[str]) -> "VocabularyTask":
        """Returns the task with the threshold that gives the best set score of exact words, the lowest of equals."""
        rows = [row for row, name in enumerate(names) if name in self.words]
        held = np.nan_to_num(truth.words[rows]) > 0
        sizes = np.array([len(self.words[names[row]]) for row in rows])
        scores = [_set_score(prediction.probabilities[rows], held, sizes, float(t)) for t in FINE]
        threshold = round(float(FINE[int(np.argmax(scores))]), 2)
        return VocabularyTask(self.labels, self.words, self.wheels, groups=self.groups, threshold=threshold)

    def scores(self, prediction: Prediction, truth: Truth, names: Sequence[str]) -> dict[str, float]:
        """Set accuracy, recall and their mean against all true words, and the wheel scores."""
        said = dict(zip(names, self.said(prediction), strict=True))
        true = {name: list(self.words[name]) for name in names if name in self.words}
        guess = {name: said[name] for name in true}
        scores: dict[str, float] = {}
        if true and (self.groups is None or set(true) & set(self.groups)):
            sets = set_scores(true, guess, self.groups)
            scores = {"set_accuracy": sets.accuracy, "set_recall": sets.recall, "score": sets.score}
        if self._on_wheels(true):
            wheel = wheel_scores(true, guess, self.wheels)
            scores |= {"wheel_f1": wheel.mean, "wheel_level1": wheel.level1, "wheel_level2": wheel.level2}
        return scores

    def said(self, prediction: Prediction) -> list[list[str]]:
        """Returns the words said for each clip, the most probable first."""
        chosen = choose_words(prediction.probabilities, 0.5 if self.threshold is None else self.threshold)
        order = np.argsort(-prediction.probabilities, axis=1, kind="stable")
        return [[self.labels[column] for column in columns if chosen[row, column]] for row, columns in enumerate(order)]

    def columns(self, prediction: Prediction) -> dict[str, list[Any]]:
        """The words as a list in the organisers' way."""
        return {"openset": [format_words(words) for words in self.said(prediction)]}

    @property
    def facts(self) -> dict[str, Any]:
        """The threshold."""
        return {"threshold": self.threshold}

    def _on_wheels(self, true: Mapping[str, Sequence[str]]) -> bool:
        """Says whether any true word is on every wheel, without which there is no wheel score."""
        return all(
            any(self.wheels.groups(words, wheel, level) for words in true.values())
            for wheel in self.wheels.wheels
            for level in LEVELS
        )


def _set_score(probabilities: np.ndarray, held: np.ndarray, sizes: np.ndarray, threshold: float) -> float:
    """Returns the mean of set accuracy and recall of exact words.

    Args:
        probabilities: ``(clips, vocabulary)``
        held: ``(clips, vocabulary)`` boolean, the true words of the vocabulary
        sizes: ``(clips,)`` number of true words, those outside the vocabulary included
        threshold: from which a word is said
    """
    chosen = choose_words(probabilities, threshold)
    common = (chosen & held).sum(1)
    accuracy = common / np.maximum(1, chosen.sum(1))
    return float((accuracy + common / np.maximum(1, sizes)).mean() / 2)

"""Any number of words per clip, out of a vocabulary learnt from the training clips."""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from baseline.dataset import Targets, read_targets
from baseline.task import EVEN, Emphasis, Prediction, Task, Truth, emotion_loss, masked_mean
from toolkit.corpus import Corpus
from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import Groups, format_words, parse_words, set_scores
from toolkit.metrics.wheel import LEVELS, Wheels, wheel_scores
from toolkit.models.network import Network, NetworkOutput

COARSE = np.arange(0.1, 1.0, 0.1)  # thresholds tried at every epoch
FINE = np.arange(0.01, 1.0, 0.01)  # thresholds tried once, at the end
UNSETTLED = 0.5  # the threshold where no held-out clip chose one
# A clip none of whose words is as probable as this gets no word: a random one would score as little.
CLEAR = 0.05


def choose_words(probabilities: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    """Returns which words are said, ``(clips, vocabulary)`` boolean.

    Said is the most probable word, and every other whose probability reaches a share of it; the share is what is
    chosen on held-out clips. Compared with the most probable word, the networks of several folds, each stopped at
    another epoch and some far surer of themselves than others, agree on one threshold.

    Args:
        probabilities: ``(clips, vocabulary)``
        threshold: share of the highest probability of a clip, from 0 to 1; one for all clips or ``(clips, 1)``

    Examples:
        >>> choose_words(np.array([[0.8, 0.5], [0.4, 0.1], [0.03, 0.02]]), 0.5).tolist()
        [[True, True], [True, False], [False, False]]
    """
    best = probabilities.max(1, keepdims=True)
    return (probabilities >= threshold * best) & (best >= CLEAR)


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
        emotions: number of classes learnt beside the words, which tell much of what the words share
        emotion_weight: of the classes beside the words
        groups: synonym groups by clip for the set scores; equal words only if absent
        threshold: as of `choose_words`; chosen on held-out predictions if absent
    """

    activation = "sigmoid"

    def __init__(
        self,
        labels: tuple[str, ...],
        words: Mapping[str, Sequence[str]],
        wheels: Wheels,
        *,
        emotions: int = 0,
        emotion_weight: float = 1.0,
        groups: Groups | None = None,
        threshold: float | None = None,
    ) -> None:
        self.labels = labels
        self.emotions = emotions
        self.emotion_weight = emotion_weight
        self.words = words
        self.wheels = wheels
        self.groups = groups
        self.threshold = threshold
        self.by_clip: dict[str, float] = {}  # thresholds of clips that are held out, chosen on those of other folds
        self.maps = [_places(labels, wheels, wheel, level) for wheel in wheels.wheels for level in LEVELS]
        self.by_wheel = all(places.any() for places in self.maps)
        self.score_name = "emotion-wheel F" if self.by_wheel else "set score"

    @property
    def outputs(self) -> int:
        """The words, then the classes."""
        return len(self.labels) + self.emotions

    @property
    def classes(self) -> int:
        """The emotions learnt beside the words."""
        return self.emotions

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
        return targets.words.isfinite().all(-1)

    def judged(self, truth: Truth) -> np.ndarray:
        """True where the words are known."""
        return np.isfinite(truth.words).all(1)

    def loss(self, output: NetworkOutput, targets: Targets, emphasis: Emphasis = EVEN) -> Tensor:
        """Binary cross-entropy over words and clips, and cross-entropy of the emotion, each where it is known."""
        logits, classes = output.emotion_logits.tensor_split([len(self.labels)], dim=-1)
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, targets.words.nan_to_num(), reduction="none"
        ).mean(-1)  # (M, B)
        loss = masked_mean(wrong, self.known(targets))
        return loss + self.emotion_weight * emotion_loss(classes, targets.emotion, emphasis) if self.emotions else loss

    @torch.no_grad()
    def prepare(self, network: Network, targets: Targets) -> None:
        """Starts each word at its share: from even odds, a few hundred small steps would go into the biases alone."""
        share = torch.from_numpy(self.prior(targets)).clamp(0.01, 0.99)
        network.emotion_head.bias[: len(self.labels)].copy_(share.logit())

    def prior(self, targets: Targets) -> np.ndarray:
        """Share of the clips that have each word."""
        rows = targets.words[self.known(targets)]
        return (rows.sum(0) / max(1, len(rows))).cpu().numpy()

    def merit(self, prediction: Prediction, truth: Truth) -> float:
        """The wheel score within the vocabulary at the best of a few thresholds, the set score off the wheel."""
        known = np.isfinite(truth.words).all(1)
        if not known.any():
            return 0.0
        held, probabilities = truth.words[known] > 0, prediction.probabilities[known]
        return max(self._merit_at(float(threshold), probabilities, held) for threshold in COARSE)

    def _merit_at(self, threshold: float, probabilities: np.ndarray, held: np.ndarray) -> float:
        chosen = choose_words(probabilities, threshold)
        if not self.by_wheel:
            return _balance(chosen, held, held.sum(1))
        scores = []
        for places in self.maps:
            true, guess = held @ places, chosen @ places  # (clips, groups) boolean
            rows = true.any(1)
            scores.append(_balance(guess[rows], true[rows], true[rows].sum(1)) if rows.any() else 0.0)
        return float(np.mean(scores))

    def settle(self, prediction: Prediction, truth: Truth, names: Sequence[str], folds: np.ndarray) -> "VocabularyTask":
        """Returns the task with the threshold of the best balanced set score of exact words, the lowest of equals.

        The set score itself, a plain mean of accuracy and recall, would choose to say every word of the vocabulary:
        recall one and accuracy near zero is half a point for nothing. The wheel score would choose to say every word of
        a group. For the clips of a single fold no others can choose: they keep `UNSETTLED`.
        """
        rows = np.array([row for row, name in enumerate(names) if name in self.words], int)
        held = np.nan_to_num(truth.words[rows]) > 0
        sizes = np.array([len(self.words[names[row]]) for row in rows])
        chosen = (choose_words(prediction.probabilities[rows], float(threshold)) for threshold in FINE)
        shares = np.stack([_shares(said, held, sizes) for said in chosen])  # (thresholds, 2, clips)
        settled = copy.copy(self)
        settled.threshold = _best_threshold(shares)
        others = {fold: _best_threshold(shares[..., folds[rows] != fold]) for fold in np.unique(folds)}
        settled.by_clip = {name: others[fold] for name, fold in zip(names, folds, strict=True)}
        return settled

    def scores(self, prediction: Prediction, truth: Truth, names: Sequence[str]) -> dict[str, float]:
        """Set accuracy, recall and their mean against all true words, and the wheel F, of both levels as in MER2025."""
        said = dict(zip(names, self.said(prediction, names), strict=True))
        true = {name: list(self.words[name]) for name in names if name in self.words}
        guess = {name: said[name] for name in true}
        scores: dict[str, float] = {}
        if true and (self.groups is None or set(true) & set(self.groups)):
            sets = set_scores(true, guess, self.groups)
            scores = {"set_accuracy": sets.accuracy, "set_recall": sets.recall, "set_score": sets.score}
        if self._on_wheels(true):
            wheel = wheel_scores(true, guess, self.wheels)
            scores |= {"wheel_f1": wheel.mean, "wheel_level1": wheel.level1, "wheel_level2": wheel.level2}
        own = scores.get("wheel_f1" if self.by_wheel else "set_score")
        return scores if own is None else scores | {"score": own}

    def said(self, prediction: Prediction, names: Sequence[str]) -> list[list[str]]:
        """Returns the words said for each clip, the most probable first; arguments as of `columns`."""
        usual = UNSETTLED if self.threshold is None else self.threshold
        thresholds = np.array([self.by_clip.get(name, usual) for name in names])
        chosen = choose_words(prediction.probabilities, thresholds[:, None])
        order = np.argsort(-prediction.probabilities, axis=1, kind="stable")
        return [[self.labels[column] for column in columns if chosen[row, column]] for row, columns in enumerate(order)]

    def columns(self, prediction: Prediction, names: Sequence[str]) -> dict[str, list[Any]]:
        """The words as a list in the organisers' way."""
        return {"openset": [format_words(words) for words in self.said(prediction, names)]}

    @property
    def facts(self) -> dict[str, Any]:
        """The threshold for new clips."""
        return {"threshold": self.threshold}

    def _on_wheels(self, true: Mapping[str, Sequence[str]]) -> bool:
        """Says whether any true word is on every wheel, without which there is no wheel score."""
        return all(
            any(self.wheels.groups(words, wheel, level) for words in true.values())
            for wheel in self.wheels.wheels
            for level in LEVELS
        )


def _places(labels: Sequence[str], wheels: Wheels, wheel: str, level: str) -> np.ndarray:
    """Returns which word belongs to which group of a wheel, ``(vocabulary, groups)`` boolean."""
    found = [wheels.group(word, wheel, level) for word in labels]
    groups = sorted({group for group in found if group is not None})
    return np.array([[group == other for other in groups] for group in found], dtype=bool)


def _balance(chosen: np.ndarray, held: np.ndarray, sizes: np.ndarray) -> float:
    """Returns the harmonic mean of accuracy and recall, each a mean over clips; arguments as of `_shares`."""
    return float(_harmonic(_shares(chosen, held, sizes).mean(-1)))


def _shares(chosen: np.ndarray, held: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns accuracy and recall of each clip, ``(2, clips)``.

    Args:
        chosen: ``(clips, words)`` boolean, what is said
        held: ``(clips, words)`` boolean, what is true
        sizes: ``(clips,)`` number of true words, those that cannot be said included
    """
    common = (chosen & held).sum(1)
    return np.stack([common / np.maximum(1, chosen.sum(1)), common / np.maximum(1, sizes)])


def _harmonic(means: np.ndarray) -> np.ndarray:
    """Returns the harmonic mean ``(...)`` of two numbers ``(..., 2)``, zero of zeros."""
    total = means.sum(-1)
    return 2 * means.prod(-1) / np.where(total > 0, total, 1.0)


def _best_threshold(shares: np.ndarray) -> float:
    """Returns the threshold of `FINE` with the best balance, the lowest of equals.

    Args:
        shares: ``(thresholds, 2, clips)``, as of `_shares`
    """
    if not shares.shape[-1]:
        return UNSETTLED
    return round(float(FINE[int(_harmonic(shares.mean(-1)).argmax())]), 2)

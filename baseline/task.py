"""What is learnt: how logits become probabilities, what the loss and the scores are."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from baseline.dataset import Targets, read_targets
from toolkit.corpus import Corpus
from toolkit.metrics.classification import accuracy, weighted_f1
from toolkit.metrics.combined import emotion_valence_score
from toolkit.metrics.regression import mean_squared_error
from toolkit.models.network import Network, NetworkOutput


class Prediction(NamedTuple):
    """What is predicted for some clips.

    Attributes:
        probabilities: ``(clips, labels)`` float32
        valence: ``(clips,)`` float32 in the corpus' unit, NaN where no valence was learnt
        known: ``(clips,)`` boolean, false where a clip has no feature at all and got the training prior
    """

    probabilities: np.ndarray
    valence: np.ndarray
    known: np.ndarray

    def take(self, rows: np.ndarray) -> "Prediction":
        """Returns some of the clips, by row number or boolean."""
        return Prediction(*(part[rows] for part in self))


class Truth(NamedTuple):
    """What is known of some clips, as `baseline.dataset.Targets` but in numpy."""

    emotion: np.ndarray
    valence: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, targets: Targets) -> "Truth":
        """Returns targets as arrays."""
        return cls(*(part.cpu().numpy() for part in targets))

    def take(self, rows: np.ndarray) -> "Truth":
        """Returns some of the clips, by row number or boolean."""
        return Truth(*(part[rows] for part in self))


class Emphasis(NamedTuple):
    """What counts how much while training, of every model of a stack.

    Attributes:
        class_weights: ``(models, classes)`` weight of a clip by its emotion, ``None`` where all weigh the same
        smoothing: share of the truth that is spread evenly over all classes (label smoothing)
        rated: false where no clip's valence is known, so that nothing need be computed of it
    """

    class_weights: Tensor | None = None
    smoothing: float = 0.0
    rated: bool = True


EVEN = Emphasis()


class Task(ABC):
    """What a track's networks learn.

    Attributes:
        labels: what the logits stand for
        activation: ``softmax`` where exactly one label holds, ``sigmoid`` where any number may
        score_name: what the track's own score is
    """

    labels: tuple[str, ...]
    activation: ClassVar[str]
    score_name: str

    @property
    def outputs(self) -> int:
        """Number of logits: the labels, and after them whatever else is learnt beside them."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of emotions among the outputs."""
        return len(self.labels)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Returns ``(..., labels)`` probabilities of ``(..., outputs)`` logits."""
        return activate(logits[..., : len(self.labels)], self.activation)

    @abstractmethod
    def targets(self, corpus: Corpus, device: str) -> Targets:
        """Returns what a corpus knows of its clips."""

    @abstractmethod
    def known(self, targets: Targets) -> Tensor:
        """Returns ``(clips,)`` boolean, true where there is anything to learn from."""

    @abstractmethod
    def loss(self, output: NetworkOutput, targets: Targets, emphasis: Emphasis = EVEN) -> Tensor:
        """Returns the loss of a batch by model, ``(models,)``; labels that are not known take no part.

        Args:
            output: of the networks, ``(models, batch, ...)``, valence standardised
            targets: ``(models, batch, ...)``, valence standardised on the training fold
            emphasis: class weights and label smoothing
        """

    def prepare(self, network: Network, targets: Targets) -> None:  # noqa: B027 - doing nothing is a fine default
        """Changes the initial weights of a network where that helps; by default nothing.

        Args:
            network: freshly initialised
            targets: of the clips it will be trained on
        """

    def judged(self, truth: Truth) -> np.ndarray:
        """Returns ``(clips,)`` boolean, true where a prediction can be right or wrong."""
        return truth.emotion >= 0

    @abstractmethod
    def prior(self, targets: Targets) -> np.ndarray:
        """Returns ``(labels,)`` how often each label holds."""

    @abstractmethod
    def merit(self, prediction: Prediction, truth: Truth) -> float:
        """Returns what an epoch is chosen by, higher is better, zero where nothing is known."""

    @abstractmethod
    def scores(self, prediction: Prediction, truth: Truth, names: Sequence[str]) -> dict[str, float]:
        """Returns the scores over the clips whose label is known, nothing where there is none.

        Args:
            prediction: of some clips
            truth: of the same clips
            names: of the same clips

        Returns:
            scores by name; the track's own is ``score``, higher is better
        """

    @abstractmethod
    def columns(self, prediction: Prediction, names: Sequence[str]) -> dict[str, list[Any]]:
        """Returns what is decided for each clip: ``emotion`` and ``valence``, or ``openset``.

        Args:
            prediction: of some clips
            names: of the same clips
        """

    def settle(self, prediction: Prediction, truth: Truth, names: Sequence[str], folds: np.ndarray) -> "Task":
        """Returns the task with what only predictions on held-out clips can decide, such as a threshold.

        For new clips all of them decide. For the clips of a fold those of the other folds do, so that no clip has a say
        in what is made of its own prediction.

        Args:
            prediction: of clips, each by networks that did not see it
            truth: of the same clips
            names: of the same clips
            folds: ``(clips,)`` fold of each clip
        """
        return self

    @property
    def facts(self) -> dict[str, Any]:
        """What deciding needs besides the probabilities, as JSON can hold it."""
        return {}


def activate(logits: Tensor, activation: str) -> Tensor:
    """Returns probabilities, same shape as the logits ``(..., labels)``.

    Args:
        logits: ``(..., labels)``
        activation: ``softmax`` or ``sigmoid``
    """
    return logits.softmax(-1) if activation == "softmax" else logits.sigmoid()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean over the last axis of the values where the mask is true, zero where it never is."""
    return torch.where(mask, values, values.new_zeros(())).sum(-1) / mask.sum(-1).clamp(min=1)


def emotion_loss(logits: Tensor, emotion: Tensor, emphasis: Emphasis) -> Tensor:
    """Returns the weighted mean of the cross-entropy over the clips whose emotion is known, ``(models,)``.

    Args:
        logits: ``(models, batch, classes)``
        emotion: ``(models, batch)``, -1 where not known
        emphasis: class weights and label smoothing, as `torch.nn.functional.cross_entropy` has them
    """
    known = emotion >= 0
    if emphasis.class_weights is None and not emphasis.smoothing:
        losses = cross_entropy(logits.flatten(0, -2), emotion.flatten(), ignore_index=-1, reduction="none")
        return losses.view_as(emotion).sum(-1) / known.sum(-1).clamp(min=1)
    number = emotion.clamp(min=0)[..., None]
    surprise = -logits.log_softmax(-1)  # (M, B, C)
    losses, own = surprise.gather(-1, number)[..., 0], known.to(surprise.dtype)  # (M, B)
    weights = None if emphasis.class_weights is None else emphasis.class_weights[:, None].expand_as(surprise)
    if weights is not None:
        own = own * weights.gather(-1, number)[..., 0]
        losses = losses * weights.gather(-1, number)[..., 0]
    if emphasis.smoothing:
        even = (surprise if weights is None else surprise * weights).mean(-1)
        losses = torch.lerp(losses, even, emphasis.smoothing)
    total = own.sum(-1)
    return (losses * known).sum(-1) / torch.where(total > 0, total, 1.0)


class EmotionTask(Task):
    """One emotion out of several, and valence beside it where it is known.

    Args:
        emotions: class names in label order
        valence_weight: of the squared error of the standardised valence, beside the cross-entropy
        combined: scores ``WAF - 0.25 MSE`` (MER2023 MULTI) in place of the weighted F1
    """

    activation = "softmax"

    def __init__(self, emotions: tuple[str, ...], *, valence_weight: float = 1.0, combined: bool = False) -> None:
        self.labels = emotions
        self.valence_weight = valence_weight
        self.combined = combined
        self.score_name = "WAF - 0.25 MSE" if combined else "weighted F1"

    def targets(self, corpus: Corpus, device: str) -> Targets:
        """Emotion and valence."""
        return read_targets(corpus, device)

    def known(self, targets: Targets) -> Tensor:
        """True where emotion or valence is known; nowhere without a single emotion."""
        labelled = targets.emotion >= 0
        return (labelled | targets.valence.isfinite()) & labelled.any()

    def loss(self, output: NetworkOutput, targets: Targets, emphasis: Emphasis = EVEN) -> Tensor:
        """Cross-entropy and weighted squared error of the standardised valence, each over the clips that have it."""
        surprise = emotion_loss(output.emotion_logits, targets.emotion, emphasis)
        if not emphasis.rated:
            return surprise
        error = (output.valence - targets.valence.nan_to_num()).square()  # (M, B)
        return surprise + self.valence_weight * masked_mean(error, targets.valence.isfinite())

    def prior(self, targets: Targets) -> np.ndarray:
        """Share of each class."""
        counts = torch.bincount(targets.emotion[targets.emotion >= 0].cpu(), minlength=len(self.labels)).numpy()
        return (counts / max(1, counts.sum())).astype(np.float32)

    def merit(self, prediction: Prediction, truth: Truth) -> float:
        """The track's score."""
        return self.scores(prediction, truth).get("score", 0.0)

    def scores(self, prediction: Prediction, truth: Truth, names: Sequence[str] = ()) -> dict[str, float]:
        """Weighted F1 and accuracy of the emotions, mean squared error of the valence, and the track's score."""
        scores: dict[str, float] = {}
        labelled, rated = truth.emotion >= 0, np.isfinite(truth.valence) & np.isfinite(prediction.valence)
        if labelled.any():
            true, guess = truth.emotion[labelled], prediction.probabilities[labelled].argmax(1)
            scores = {
                "weighted_f1": weighted_f1(true, guess, range(len(self.labels))),
                "accuracy": accuracy(true, guess),
            }
            scores["score"] = scores["weighted_f1"]
        if rated.any():
            scores["mse"] = mean_squared_error(truth.valence[rated], prediction.valence[rated])
            if self.combined and labelled.any():
                scores["score"] = emotion_valence_score(scores["weighted_f1"], scores["mse"])
        return scores

    def columns(self, prediction: Prediction, names: Sequence[str] = ()) -> dict[str, list[Any]]:
        """The most probable emotion, and the valence."""
        emotions = [self.labels[number] for number in prediction.probabilities.argmax(1)]
        return {"emotion": emotions, "valence": prediction.valence.tolist()}

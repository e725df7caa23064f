"""The data of a run, ready to be learnt from: training clips in folds, test clips by split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from baseline.crossvalidation import CrossValidation, Recipe, cross_validate
from baseline.dataset import Examples, FeatureSource, load_inputs
from baseline.fold_models import FoldEnsemble
from baseline.task import Prediction, Task, Truth
from toolkit.corpus import Corpus
from toolkit.metrics.classification import confusion


class Part(NamedTuple):
    """Some clips of a corpus and their features."""

    corpus: Corpus
    examples: Examples

    @property
    def names(self) -> list[str]:
        """Clip names."""
        return list(self.corpus.table["name"])


@dataclass(frozen=True)
class Study:
    """The data of a run.

    Attributes:
        corpus: all clips
        train: the training clips
        tests: the clips of each split that is predicted
        training: features and labels of ``train``, then of whatever the track adds to it
        folds: ``(clips,)`` fold of each row of ``training``
        task: what is learnt
        recipe: how
        sources: caches by feature
        device: torch device
    """

    corpus: Corpus
    train: Corpus
    tests: dict[str, Part]
    training: Examples
    folds: np.ndarray
    task: Task
    recipe: Recipe
    sources: dict[str, FeatureSource]
    device: str

    def cross_validate(
        self, features: Sequence[str] | None = None, additions: Mapping[int, Examples] | None = None
    ) -> CrossValidation:
        """Trains one network per fold.

        Args:
            features: some of the features, all of them if absent
            additions: more training clips by fold
        """
        inputs = self.training.inputs if features is None else self.training.inputs.only(features)
        examples = Examples(inputs, self.training.targets)
        return cross_validate(examples, self.folds, self.task, self.recipe, additions=additions)

    def part(self, corpus: Corpus, sources: Mapping[str, FeatureSource] | None = None) -> Part:
        """Returns clips with their features, from the caches of the run or from others."""
        return load_part(corpus, sources or self.sources, self.task, self.device)

    def with_training(self, more: Examples, folds: np.ndarray) -> Self:
        """Returns the study with more training clips in folds; the own ones stay first."""
        return replace(self, training=self.training.join(more), folds=np.concatenate([self.folds, folds]))

    def test_scores(self, result: CrossValidation) -> dict[str, dict[str, Any]]:
        """Returns clips, scores and confusion of each test split, as in ``metrics.json``."""
        return {split: measure(result.task, result.ensemble, part) for split, part in self.tests.items()}


def load_part(corpus: Corpus, sources: Mapping[str, FeatureSource], task: Task, device: str) -> Part:
    """Returns clips with their features and labels."""
    inputs = load_inputs(sources, list(corpus.table["name"]), device)
    return Part(corpus, Examples(inputs, task.targets(corpus, device)))


def measure(task: Task, ensemble: FoldEnsemble, part: Part) -> dict[str, Any]:
    """Returns how many clips of a part have a label, their scores and confusion."""
    return summary(task, ensemble.predict(part.examples.inputs), Truth.of(part.examples.targets), part.names)


def summary(task: Task, prediction: Prediction, truth: Truth, names: Sequence[str]) -> dict[str, Any]:
    """Returns the number of clips with a label, the scores, and the confusion where one label holds."""
    scores = task.scores(prediction, truth, names)
    if task.activation != "softmax":
        return {"clips": int(np.isfinite(truth.words).all(1).sum()), "scores": scores}
    labelled = truth.emotion >= 0
    entry: dict[str, Any] = {"clips": int(labelled.sum()), "scores": scores}
    if labelled.any():
        guess = prediction.probabilities[labelled].argmax(1)
        matrix = confusion(truth.emotion[labelled], guess, range(len(task.labels)))
        entry["confusion"] = {"labels": list(task.labels), "matrix": matrix.tolist()}
    return entry

"""The data of a run, ready to be learnt from: training clips in folds, test clips by split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from baseline.config import Protocol
from baseline.context import with_twins
from baseline.crossvalidation import CrossValidation, Recipe, cross_validate_all, join_seeds, merits_of_all
from baseline.dataset import Examples, FeatureSource
from baseline.fold_models import FoldEnsemble
from baseline.network_options import anchored
from baseline.reading import Reading
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
        folds: ``(clips,)`` fold of each row of ``training``, -1 for those that are never held out
        task: what is learnt
        recipe: how, with the first seed
        seeds: all seeds
        protocol: what chooses and what is scored (`baseline.config.PROTOCOLS`)
        sources: caches by feature
        reading: what is read of them
        device: torch device
    """

    corpus: Corpus
    train: Corpus
    tests: dict[str, Part]
    training: Examples
    folds: np.ndarray
    task: Task
    recipe: Recipe
    seeds: tuple[int, ...]
    protocol: Protocol
    sources: dict[str, FeatureSource]
    reading: Reading
    device: str

    @property
    def held_out(self) -> np.ndarray:
        """Numbers of the clips of ``train`` that are held out once, ``(n,)``."""
        return np.flatnonzero(self.folds[: len(self.train)] >= 0)

    def cross_validate(
        self, features: Sequence[str] | None = None, additions: Mapping[int, Examples] | None = None
    ) -> CrossValidation:
        """Trains one network per fold and seed, and averages the seeds.

        Args:
            features: some of the features, all of them if absent
            additions: more training clips by fold

        Raises:
            UserError: training ran off to numbers that are not finite
        """
        results = self.cross_validate_all([self.recipe._replace(seed=seed) for seed in self.seeds], features, additions)
        for result in results:
            result.require_finite(self.recipe.training.learning_rate)
        return join_seeds(results, self._examples(features), self.folds, self.task)

    def cross_validate_all(
        self,
        recipes: Sequence[Recipe],
        features: Sequence[str] | None = None,
        additions: Mapping[int, Examples] | None = None,
    ) -> list[CrossValidation]:
        """Trains one network per recipe and fold, all side by side; the recipes' own seeds hold.

        Args:
            recipes: how
            features: as of `cross_validate`
            additions: as of `cross_validate`
        """
        examples = self._examples(features)
        recipes = self._anchored(recipes, examples)
        return cross_validate_all(examples, self.folds, self.task, recipes, additions=additions)

    def merits(self, recipes: Sequence[Recipe]) -> list[list[float] | None]:
        """Returns by what each recipe may be chosen (`merits_of_all`); the recipes' own seeds hold."""
        return merits_of_all(self.training, self.folds, self.task, self._anchored(recipes, self.training))

    def _anchored(self, recipes: Sequence[Recipe], examples: Examples) -> list[Recipe]:
        """Returns recipes whose networks are told which of the features is the text."""
        modalities = {key: self.sources[key].modality if key in self.sources else "" for key in examples.inputs.values}
        return [recipe._replace(network=anchored(recipe.network, modalities)) for recipe in recipes]

    def _examples(self, features: Sequence[str] | None) -> Examples:
        inputs = self.training.inputs
        if features is not None:
            inputs = inputs.only(with_twins(features, inputs.values))
        return Examples(inputs, self.training.targets)

    def part(self, corpus: Corpus, sources: Mapping[str, FeatureSource] | None = None) -> Part:
        """Returns clips with their features, from the caches of the run or from others."""
        return load_part(corpus, sources or self.sources, self.reading, self.task, self.device)

    def with_training(self, more: Examples, folds: np.ndarray) -> Self:
        """Returns the study with more training clips in folds; the own ones stay first."""
        return replace(self, training=self.training.join(more), folds=np.concatenate([self.folds, folds]))

    def test_scores(self, result: CrossValidation) -> dict[str, dict[str, Any]]:
        """Returns clips, scores and confusion of each test split, as in ``metrics.json``."""
        return {split: measure(result.task, result.ensemble, part) for split, part in self.tests.items()}


def load_part(corpus: Corpus, sources: Mapping[str, FeatureSource], reading: Reading, task: Task, device: str) -> Part:
    """Returns clips with their features and labels."""
    inputs = reading.load(sources, corpus, device)
    return Part(corpus, Examples(inputs, task.targets(corpus, device)))


def measure(task: Task, ensemble: FoldEnsemble, part: Part) -> dict[str, Any]:
    """Returns how many clips of a part have a label, their scores and confusion; without any, nothing is predicted."""
    truth = Truth.of(part.examples.targets)
    if not (task.judged(truth) | np.isfinite(truth.valence)).any():
        return {"clips": 0, "scores": {}}
    return summary(task, ensemble.predict(part.examples.inputs), truth, part.names)


def summary(task: Task, prediction: Prediction, truth: Truth, names: Sequence[str]) -> dict[str, Any]:
    """Returns the number of clips with a label, the scores, and the confusion where one label holds."""
    scores = task.scores(prediction, truth, names)
    labelled = task.judged(truth)
    entry: dict[str, Any] = {"clips": int(labelled.sum()), "scores": scores}
    if task.activation == "softmax" and labelled.any():
        guess = prediction.probabilities[labelled].argmax(1)
        matrix = confusion(truth.emotion[labelled], guess, range(len(task.labels)))
        entry["confusion"] = {"labels": list(task.labels), "matrix": matrix.tolist()}
    return entry

"""What a track adds to a run: its task, its test splits, and how its networks are learnt."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel

from baseline.crossvalidation import CrossValidation
from baseline.study import Study
from baseline.task import Task
from toolkit.corpus import Corpus
from toolkit.registry import Registry
from toolkit.submission import TEST_SPLITS, test_splits


class NoOptions(BaseModel, extra="forbid"):
    """The options of a track that has none."""


class Learned(NamedTuple):
    """What a track learnt.

    Attributes:
        final: the networks that predict
        supervised: the networks that the modalities are compared with, trained in the same way as each of those
        metrics: what the track adds to ``metrics.json``
    """

    final: CrossValidation
    supervised: CrossValidation
    metrics: dict[str, Any]


class Track(ABC):
    """One track; a new one is a file in ``baseline/tracks`` that files its class in `tracks`.

    Attributes:
        name: on the command line, and of the folder of its runs
        options: pydantic model of the track's own settings

    Args:
        settings: an instance of ``options``
    """

    name: ClassVar[str]
    options: ClassVar[type[BaseModel]] = NoOptions
    refuse_rare: ClassVar[bool] = True  # whether a class with fewer clips than folds ends the run

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def task(self, corpus: Corpus, train: Corpus, valence_weight: float) -> Task:
        """Returns what is learnt.

        Args:
            corpus: all clips
            train: the training clips
            valence_weight: of the valence beside the emotion
        """

    def test_splits(self, corpus: Corpus) -> list[str]:
        """Returns the splits that are predicted: by default those that a submission covers, or all named ``test*``."""
        if self.name in TEST_SPLITS:
            return test_splits(self.name, corpus)
        return [split for split in corpus.splits if split.startswith("test")]

    def extend(self, study: Study) -> Study:
        """Returns the study with more training clips; by default none."""
        return study

    def learn(self, study: Study) -> Learned:
        """Returns the networks; by default one cross-validation."""
        result = study.cross_validate()
        return Learned(result, result, {})


tracks: Registry[type[Track]] = Registry("track", "baseline.tracks")

"""What a score rests on: which clips chose, which were scored, by which protocol and with how many seeds."""

import hashlib
from typing import Any, NamedTuple

import pandas as pd

from baseline.config import PROTOCOLS, Protocol, RunConfig
from baseline.crossvalidation import CrossValidation
from baseline.run import open_study, track_of
from baseline.study import Study
from baseline.tallies import task_tallies
from baseline.task import Prediction, Task, Truth
from toolkit.corpus import load_corpus
from toolkit.device import resolve_device
from toolkit.errors import UserError
from toolkit.metrics.bootstrap import bootstrap_interval

HELD_OUT, CHOSE = "held-out folds (each by what the others chose)", "the folds that chose"
_LABELS = ["emotion", "valence", "openset"]


class Basis(NamedTuple):
    """What every table and picture of scores says beside them.

    Attributes:
        protocol: what chooses and what is scored
        corpus: its name
        score_name: what the score is
        seeds: of the networks
        chose: number of labelled clips that chose epochs and settings
        scored: number of labelled clips that the score is of
        place: where those are: a test split, `HELD_OUT` or `CHOSE`
        folds: digest of which clip is in which fold
    """

    protocol: Protocol
    corpus: str
    score_name: str
    seeds: tuple[int, ...]
    chose: int
    scored: int
    place: str
    folds: str

    @property
    def sentence(self) -> str:
        """All of it in words."""
        seeds = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"seeds {self.seeds[0]} to {self.seeds[-1]}"
        optimistic = ", so that scores are optimistic" if self.place == CHOSE else ""
        return (
            f"{self.score_name} on corpus {self.corpus}, {seeds}. {self.chose} clips chose, {self.scored} clips of "
            f"{self.place} are scored{optimistic}. Protocol {self.protocol}: {PROTOCOLS[self.protocol]}."
        )

    @property
    def columns(self) -> dict[str, Any]:
        """All of it as columns of a table."""
        return {
            "score_name": self.score_name,
            "protocol": self.protocol,
            "corpus": self.corpus,
            "seeds": " ".join(map(str, self.seeds)),
            "clips_chose": self.chose,
            "clips_scored": self.scored,
            "scored_on": self.place,
            "folds": self.folds,
        }


class Score(NamedTuple):
    """The track's own score, and the ends of its 95 % bootstrap interval over the clips."""

    value: float
    low: float
    high: float


def open_labelled(config: RunConfig) -> Study:
    """Returns the data of a run without test splits that nothing is known of, which may be large.

    Raises:
        UserError: settings, corpus or caches are not as they should be, or nothing can choose between networks
    """
    track = track_of(config)
    corpus = load_corpus(config.corpus)
    wanted = track.test_splits(corpus) if config.test is None else config.test
    known = [s for s in wanted if s not in corpus.splits or corpus.select(s).table[_LABELS].notna().any(axis=None)]
    study = open_study(config.model_copy(update={"test": known}), track)
    if study.recipe.select == "last":
        raise UserError(
            "Nothing chooses between networks where the last epoch is kept: --select last, or two folds without "
            "labelled test clips. Use --folds 3 or more."
        )
    return study


def basis_of(study: Study) -> Basis:
    """Returns what scores of a study rest on."""
    split = scored_split(study)
    own = Truth.of(study.training.targets).take(study.held_out)
    scored = own if split is None else Truth.of(study.tests[split].examples.targets)
    chose, judged = (int(study.task.judged(truth).sum()) for truth in (own, scored))
    place = split or (HELD_OUT if study.recipe.select == "inner" else CHOSE)
    pairs = zip(study.train.table["name"], study.folds, strict=False)  # clips that a track adds have folds too
    folds = hashlib.sha256("\n".join(f"{name},{fold}" for name, fold in pairs).encode()).hexdigest()[:12]
    return Basis(study.protocol, study.corpus.name, study.task.score_name, study.seeds, chose, judged, place, folds)


def scored_split(study: Study) -> str | None:
    """Returns the first test split with labels, which scores are of; ``None`` where they are of held-out folds."""
    for split, part in study.tests.items():
        if study.task.judged(Truth.of(part.examples.targets)).any():
            return split
    return None


def score_of(study: Study, result: CrossValidation) -> Score:
    """Returns the score of networks on the test split, or on the folds that they did not see."""
    split = scored_split(study)
    if split is None:
        return held_out_score(study, result.task, result.held_out)
    part = study.tests[split]
    return _score(result.task, result.ensemble.predict(part.examples.inputs), part.corpus.table)


def held_out_score(study: Study, task: Task, held_out: Prediction) -> Score:
    """Returns the score of predictions for all clips of ``study.training``, of those that are held out once."""
    own = study.held_out
    return _score(task, held_out.take(own), study.train.table.iloc[own])


def _score(task: Task, prediction: Prediction, table: pd.DataFrame) -> Score:
    tally = task_tallies(task, prediction, table)["score"]
    return Score(tally.score, *bootstrap_interval(tally))


def decisive(config: RunConfig, *apart: str) -> dict[str, Any]:
    """Returns what decides the numbers of a run, as JSON can hold it: settings, device, labels and given folds.

    Args:
        config: the settings
        apart: names of settings that decide nothing here
    """
    names = {"name", "out", "compare", "corpus", "cache", "folds_file", *apart}
    table = load_corpus(config.corpus).table
    given = b"" if config.folds_file is None else config.folds_file.read_bytes()
    labels = hashlib.sha256(table[["name", "split", *_LABELS]].to_csv(index=False).encode() + given)
    facts = {"device": resolve_device(config.device), "labels and folds of the corpus": labels.hexdigest()[:12]}
    return config.model_dump(mode="json", exclude=names) | facts

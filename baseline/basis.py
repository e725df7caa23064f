"""What a score rests on: which clips chose, which were scored, by which protocol and with how many seeds."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple, Self

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
        scored: number of labelled clips that scores are of, by test split, or of `HELD_OUT` or `CHOSE`
        folds: digest of which clip is in which fold
    """

    protocol: Protocol
    corpus: str
    score_name: str
    seeds: tuple[int, ...]
    chose: int
    scored: dict[str, int]
    folds: str

    @property
    def sentence(self) -> str:
        """All of it in words."""
        seeds = f"seed {self.seeds[0]}" if len(self.seeds) == 1 else f"seeds {self.seeds[0]} to {self.seeds[-1]}"
        scored = ", ".join(f"{clips} clips of {place}" for place, clips in self.scored.items())
        optimistic = ", so that scores are optimistic" if CHOSE in self.scored else ""
        return (
            f"{self.score_name} on corpus {self.corpus}, {seeds}. {self.chose} clips chose, {scored} are scored"
            f"{optimistic}. Protocol {self.protocol}: {PROTOCOLS[self.protocol]}."
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
            "clips_scored": " ".join(map(str, self.scored.values())),
            "scored_on": ", ".join(self.scored),
            "folds": self.folds,
        }

    @classmethod
    def read(cls, path: Path) -> Self:
        """Returns what a CSV says in these columns, the same in every row."""
        row = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=1).iloc[0]
        return cls(
            "mertools" if row["protocol"] == "mertools" else "honest",
            row["corpus"],
            row["score_name"],
            tuple(map(int, row["seeds"].split())),
            int(row["clips_chose"]),
            dict(zip(row["scored_on"].split(", "), map(int, row["clips_scored"].split()), strict=True)),
            row["folds"],
        )


class Score(NamedTuple):
    """The track's own score, and the ends of its 95 % bootstrap interval over the clips."""

    value: float
    low: float
    high: float


def score_columns(scores: dict[str, Score]) -> dict[str, float]:
    """Returns scores by place as columns: ``score, low, high`` of the first, those of others with their names."""
    columns: dict[str, float] = {}
    for number, (place, score) in enumerate(scores.items()):
        names = (place, f"{place}_low", f"{place}_high") if number else ("score", "low", "high")
        columns |= dict(zip(names, score, strict=True))
    return columns


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
    held_out = _judged(study.task, Truth.of(study.training.targets).take(study.held_out))
    scored = {split: _judged(study.task, _truth(study, split)) for split in scored_splits(study)}
    pairs = zip(study.train.table["name"], study.folds, strict=False)  # clips that a track adds have folds too
    folds = hashlib.sha256("\n".join(f"{name},{fold}" for name, fold in pairs).encode()).hexdigest()[:12]
    name = study.task.score_name
    return Basis(
        study.protocol, study.corpus.name, name, study.seeds, held_out, scored or {folds_place(study): held_out}, folds
    )


def scored_splits(study: Study) -> list[str]:
    """Returns the test splits with labels, which scores are of; without any they are of held-out folds."""
    return [split for split in study.tests if _judged(study.task, _truth(study, split))]


def folds_place(study: Study) -> str:
    """Returns what held-out folds are, where scores are of them."""
    return HELD_OUT if study.recipe.select == "inner" else CHOSE


def scores_of(study: Study, result: CrossValidation) -> dict[str, Score]:
    """Returns the scores of networks on each test split, or on the folds that they did not see."""
    splits = scored_splits(study)
    if not splits:
        return {folds_place(study): held_out_score(study, result.task, result.held_out)}
    parts = {split: study.tests[split] for split in splits}
    return {
        split: _score(result.task, result.ensemble.predict(part.examples.inputs), part.corpus.table)
        for split, part in parts.items()
    }


def held_out_score(study: Study, task: Task, held_out: Prediction) -> Score:
    """Returns the score of predictions for all clips of ``study.training``, of those that are held out once."""
    own = study.held_out
    return _score(task, held_out.take(own), study.train.table.iloc[own])


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


def _score(task: Task, prediction: Prediction, table: pd.DataFrame) -> Score:
    tally = task_tallies(task, prediction, table)["score"]
    return Score(tally.score, *bootstrap_interval(tally))


def _truth(study: Study, split: str) -> Truth:
    return Truth.of(study.tests[split].examples.targets)


def _judged(task: Task, truth: Truth) -> int:
    return int(task.judged(truth).sum())

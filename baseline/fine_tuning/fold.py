"""Which clips a network learns from, which choose its epoch and which it is scored on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from baseline.fine_tuning.classes import Classes
from baseline.fine_tuning.goal import Goal
from baseline.fine_tuning.lists import classes_of, corpus_of_lists
from baseline.fine_tuning.settings import FineTuningConfig
from baseline.fine_tuning.values import Values
from baseline.protocol import make_folds, read_folds
from toolkit.corpus import Corpus, load_corpus
from toolkit.errors import UserError

TRAIN, VALIDATION, TEST = "train", "val", "test"
PLACE = "{fold}"  # in the paths of lists
NAMED = "expected names of their columns: --values valence"


@dataclass(frozen=True)
class Fold:
    """Clips of one network, all of the same corpus.

    Attributes:
        number: from 0, ``None`` where the corpus has its own test clips
        corpus: the clips
        train: ``(n,)`` rows of the corpus' table that are learnt from, all labelled
        validation: rows that may choose the epoch
        test: rows that are predicted
    """

    number: int | None
    corpus: Corpus
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def label(self) -> str:
        """What the fold is called in files and lines."""
        return "all" if self.number is None else f"fold_{self.number}"

    def names(self, rows: np.ndarray) -> list[str]:
        """Returns the names of some rows."""
        return list(self.corpus.table["name"].iloc[rows])

    def identity(self, goal: Goal) -> str:
        """Returns a hash of the names and labels of all parts in their order, on which the numbers depend."""
        truth = goal.truth(self.corpus.table)
        parts = [(self.names(rows), truth[rows].tolist()) for rows in (self.train, self.validation, self.test)]
        return hashlib.sha256(json.dumps([goal.names, parts]).encode()).hexdigest()


def goal_and_folds(config: FineTuningConfig) -> tuple[Goal, list[Fold]]:
    """Returns what is learnt and the clips of each network.

    Raises:
        UserError: corpus, lists, classes, values or folds are not as they should be
    """
    if config.lists is not None:
        return _of_lists(config)
    corpus = load_corpus(str(config.corpus))
    goal = Values(config.values) if config.values else Classes(classes_of(config.classes or corpus.emotions))
    if not goal.names:
        raise UserError(f"Corpus '{corpus.name}' has no classes but numbers, perhaps: {NAMED}.")
    labelled = goal.known(goal.truth(corpus.table))
    learnt = labelled & (corpus.table["split"] == TRAIN).to_numpy()
    if not learnt.any():
        raise UserError(f"None of the clips of split '{TRAIN}' of '{corpus.name}' has a label to learn from.")
    if config.folds is None and config.folds_file is None:
        return goal, [_by_split(config, corpus, learnt, labelled)]
    return goal, _dealt(config, corpus, np.flatnonzero(learnt))


def _of_lists(config: FineTuningConfig) -> tuple[Goal, list[Fold]]:
    if config.group or config.folds_file:
        raise UserError("--group and --folds-file deal out a corpus. Lists are dealt out already, one pair per fold.")
    if config.folds == 0:
        raise UserError(
            "Got --folds 0, which deals out a corpus by its groups. With --lists say how many pairs there are, their "
            f"numbers being {PLACE} in the paths, or leave --folds out."
        )
    if not (config.values or config.classes):
        raise UserError(f"Nothing says what the numbers in the lists are: give --classes dfew, or {NAMED}.")
    goal = Values(config.values) if config.values else Classes(classes_of(config.classes))
    paths = list(map(str, config.lists))
    numbers = range(1, (config.folds or 1) + 1)
    if (PLACE in paths[0]) != (config.folds is not None):
        raise UserError(
            f"Several folds of lists need {PLACE} in their paths, as in fd{PLACE}/train.csv, and --folds N."
        )
    names = {"values": goal.names} if config.values else {"classes": goal.names}
    folds = []
    for number in numbers:
        own = [Path(path.replace(PLACE, str(number))) for path in paths]
        corpus = corpus_of_lists(own, **names, root=config.root)
        labelled = goal.known(goal.truth(corpus.table))
        learnt = labelled & (corpus.table["split"] == TRAIN).to_numpy()
        fold = _by_split(config, corpus, learnt, labelled)
        folds.append(fold if config.folds is None else Fold(number - 1, corpus, fold.train, fold.validation, fold.test))
    _require_apart(folds)
    return goal, folds


def _by_split(config: FineTuningConfig, corpus: Corpus, learnt: np.ndarray, labelled: np.ndarray) -> Fold:
    splits = corpus.table["split"].astype(str)
    test = np.flatnonzero(splits.str.startswith(TEST))
    if not len(test):
        raise UserError(
            f"Corpus '{corpus.name}' has the splits {', '.join(corpus.splits)} and none to score. Give --folds 5."
        )
    if config.select == "release" and not labelled[test].any():
        raise UserError(f"--select release chooses on the clips scored, none of which is labelled in '{corpus.name}'.")
    validation = np.flatnonzero((splits == VALIDATION).to_numpy() & labelled)
    if config.select == "best" and not len(validation):
        raise UserError(
            f"--select best needs clips to choose on, and '{corpus.name}' has no labelled split '{VALIDATION}'. Use "
            "--select last, a third list, or --folds 3 or more."
        )
    return Fold(None, corpus, np.flatnonzero(learnt), validation, test)


def _dealt(config: FineTuningConfig, corpus: Corpus, rows: np.ndarray) -> list[Fold]:
    """Returns folds of the rows; with ``best``, the next fold chooses and is not learnt from."""
    mask = np.zeros(len(corpus), bool)
    mask[rows] = True
    own = corpus.only(pd.Series(mask, index=corpus.table.index))
    group = config.group or corpus.group
    if config.folds_file is not None:
        dealt = read_folds(config.folds_file, own, group=group).to_numpy()
    else:
        dealt = make_folds(own, config.folds or 0, seed=config.seed, group=group, refuse_rare=False).to_numpy()
    count = int(dealt.max()) + 1
    if config.select == "best" and count < 3:
        raise UserError(f"--select best needs a fold to learn from, one to choose on and one to score. Got {count}.")
    folds = []
    for number in range(count):
        chosen = (dealt == (number + 1) % count) & (config.select == "best")
        folds.append(Fold(number, corpus, rows[(dealt != number) & ~chosen], rows[chosen], rows[dealt == number]))
    return folds


def _require_apart(folds: list[Fold]) -> None:
    seen: dict[str, int] = {}
    for number, fold in enumerate(folds, start=1):
        for name in fold.names(fold.test):
            if name in seen:
                raise UserError(f"The clip '{name}' is scored in the folds {seen[name]} and {number}. Expected one.")
            seen[name] = number

"""What a fine-tuning found, as ``metrics.json`` and ``predictions.csv`` hold it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from baseline.fine_tuning.fold import Fold
from baseline.fine_tuning.fold_training import Outcome
from baseline.fine_tuning.goal import Goal
from baseline.fine_tuning.settings import SELECTIONS, FineTuningConfig
from baseline.spread import mean_and_std


def metrics_of(
    config: FineTuningConfig, goal: Goal, folds: Sequence[Fold], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """Returns ``metrics.json``, all but time.

    Predictions of all folds are scored together (``out_of_fold``), as the authors have it: the score of a pool, which
    is not the mean of the folds' scores (``validation``).
    """
    pairs = list(zip(folds, outcomes, strict=True))
    scored = [_part(goal, fold, outcome, fold.test) for fold, outcome in pairs]
    entries = [
        {"fold": fold.number, "epoch": outcome.epoch, "clips": _clips(fold), "scores": goal.scores(*part)}
        for (fold, outcome), part in zip(pairs, scored, strict=True)
    ]
    chosen = [outcome.history[outcome.epoch - 1] for outcome in outcomes]
    dealt = folds[0].number is not None
    truth, said = map(np.concatenate, zip(*scored, strict=True))
    nothing = {"clips": 0, "scores": {}}
    return {
        "protocol": "released" if config.select == "release" else "honest",
        "score_name": goal.score_name,
        "selection": SELECTIONS[config.select],
        "chosen_by": [{key: value for key, value in one.items() if key not in ("loss", "rate")} for one in chosen],
        "folds": entries if dealt else [],
        "epochs": [outcome.epoch for outcome in outcomes],
        "validation": mean_and_std([entry["scores"] for entry in entries]) if dealt else {},
        "out_of_fold": _entry(goal, truth, said) if dealt else nothing,
        "test": {} if dealt else _by_split(goal, *pairs[0]),
        "unreadable": {part: len(_unread(pairs, part)) for part in ("train", "validation", "test")},
    }


def prediction_table(goal: Goal, folds: Sequence[Fold], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Returns ``predictions.csv``, a row for each clip that is scored.

    Columns: ``split, name, fold``, what is predicted and true, ``without_features``: true where the clip could not be
    read and the prediction is the training prior.
    """
    parts = []
    for fold, outcome in zip(folds, outcomes, strict=True):
        table = fold.corpus.table.iloc[fold.test].reset_index(drop=True)
        rows = table[["split", "name"]].copy()
        rows["fold"] = pd.array([pd.NA if fold.number is None else fold.number] * len(rows), dtype="Int64")
        truth = goal.truth(fold.corpus.table)[fold.test]
        unread = {name for name, *_ in outcome.unread}
        columns = goal.columns(truth, _said(outcome, list(rows["name"])))
        parts.append(pd.concat([rows, columns], axis=1).assign(without_features=[n in unread for n in rows["name"]]))
    return pd.concat(parts, ignore_index=True)


def failure_table(folds: Sequence[Fold], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Returns ``failures.csv``: ``name, status, reason`` of each clip that could not be read."""
    rows = {name: (name, status, reason) for outcome in outcomes for name, status, reason in outcome.unread}
    return pd.DataFrame([rows[name] for name in sorted(rows)], columns=["name", "status", "reason"])


def _part(goal: Goal, fold: Fold, outcome: Outcome, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns truth and prediction of those of some test clips that have a label."""
    truth = goal.truth(fold.corpus.table)[rows]
    known = goal.known(truth)
    return truth[known], _said(outcome, fold.names(rows))[known]


def _said(outcome: Outcome, names: Sequence[str]) -> np.ndarray:
    """Returns what is said of some clips, ``(clips, outputs)``, by their names."""
    places = {name: place for place, name in enumerate(outcome.names)}
    return np.array(outcome.said)[[places[name] for name in names]]


def _entry(goal: Goal, truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    return {"clips": len(truth), "scores": goal.scores(truth, said), **goal.details(truth, said)}


def _by_split(goal: Goal, fold: Fold, outcome: Outcome) -> dict[str, Any]:
    splits = fold.corpus.table["split"].to_numpy()
    names = dict.fromkeys(splits[fold.test])
    return {split: _entry(goal, *_part(goal, fold, outcome, fold.test[splits[fold.test] == split])) for split in names}


def _clips(fold: Fold) -> dict[str, int]:
    return {"train": len(fold.train), "validation": len(fold.validation), "test": len(fold.test)}


def _unread(pairs: Sequence[tuple[Fold, Outcome]], part: str) -> set[str]:
    """Returns the names of clips of a part, of any fold, that could not be read."""
    return {name for fold, outcome in pairs for name, *_ in outcome.unread if name in fold.names(getattr(fold, part))}

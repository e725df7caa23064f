"""The scores of the reference implementations beside ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from references.vectors import Difference, difference
from toolkit.metrics.abaw import action_unit_f1, expression_f1
from toolkit.metrics.classification import accuracy, macro_f1, weighted_f1
from toolkit.metrics.regression import concordance
from toolkit.metrics.sentiment import mosi_scores, sims_scores, three_class_scores

ABSOLUTE = 1e-6  # the README of the vectors
Case = dict[str, Any]
Pairs = Iterator[tuple[str, Any, Any]]  # what it is, ours, theirs

MOSI = {
    "Has0_acc_2": "accuracy_2_has0", "Has0_F1_score": "f1_has0",
    "Non0_acc_2": "accuracy_2_non0", "Non0_F1_score": "f1_non0",
    "Mult_acc_5": "accuracy_5", "Mult_acc_7": "accuracy_7", "MAE": "mae", "Corr": "correlation",
}  # fmt: skip
SIMS = {
    "Mult_acc_2": "accuracy_2", "Mult_acc_3": "accuracy_3", "Mult_acc_5": "accuracy_5",
    "F1_score": "f1", "MAE": "mae", "Corr": "correlation",
}  # fmt: skip
THREE = {"Has0_acc_2": "accuracy_2_has0", "Has0_F1_score": "f1_has0", "Acc_3": "accuracy_3", "F1_score_3": "f1_3"}
# What is taken off the number of clips under the covariance, and under the variances.
DIVISORS = {"ccc_population": (0, 0), "ccc_audmetric": (0, 0), "ccc_taif_eval": (1, 1), "ccc_abaw6_va_train": (0, 1)}


def differences(path: Path) -> list[Difference]:
    """Returns, for every score, the case in which ours is farthest from theirs.

    Args:
        path: of the JSON file
    """
    facts = json.loads(path.read_text(encoding="utf-8"))
    read = READERS[facts["name"]]
    worst: dict[str, Difference] = {}
    for case in facts["cases"]:
        _keep_worst(worst, read(case))
    if "batch" in facts:
        _keep_worst(worst, _losses(facts["batch"]))
    return list(worst.values())


def _keep_worst(worst: dict[str, Difference], pairs: Pairs) -> None:
    for name, ours, theirs in pairs:
        ours, theirs = (torch.from_numpy(np.asarray(side, np.float64)) for side in (ours, theirs))
        found = difference(name, ours, theirs, ABSOLUTE, 0.0)
        worst[name] = max(found, worst.get(name, found), key=lambda one: one.share)


def _named(ours: dict[str, float], theirs: dict[str, float], names: dict[str, str], places: int | None) -> Pairs:
    """Pairs of scores; ``places``: to how many decimals the reference rounds."""
    for name, value in theirs.items():
        score = ours[names[name]]
        yield names[name], score if places is None else round(score, places), value


def _mosi(case: Case) -> Pairs:
    return _named(mosi_scores(case["label"], case["pred"]), case["metrics"], MOSI, 4)


def _sims(case: Case) -> Pairs:
    return _named(sims_scores(case["label"], case["pred"]), case["metrics"], SIMS, None)


def _three_classes(case: Case) -> Pairs:
    """Without neutral clips the reference compares a choice, 0 or 1, with labels of 0 or 2; so it is done here."""
    labels, logits, theirs = np.array(case["label"]), np.array(case["logits"]), dict(case["metrics"])
    charged = labels != 1
    choice = (logits[charged, 2] > logits[charged, 0]).astype(int)
    mistaken = {"Non0_acc_2": accuracy, "Non0_F1_score": weighted_f1}
    for name, score in mistaken.items():
        yield f"{name}, with the reference's mistake", round(score(labels[charged], choice), 4), theirs.pop(name)
    yield from _named(three_class_scores(labels, logits), theirs, THREE, 4)


def _concordances(case: Case) -> Pairs:
    for name, (covariance, variance) in DIVISORS.items():
        ours = concordance(case["label"], case["pred"], covariance_ddof=covariance, variance_ddof=variance)
        yield name, ours, case[name]


def _losses(batch: Case) -> Pairs:
    """Losses made of concordances, ``(sequences, frames, 2)``: of each sequence, and of all frames end to end."""
    truth, guess = np.array(batch["label"]), np.array(batch["pred"])

    def of(true: np.ndarray, predicted: np.ndarray) -> float:
        return sum(concordance(true[:, part], predicted[:, part], variance_ddof=1) for part in range(2))

    each = [of(true, predicted) for true, predicted in zip(truth, guess, strict=True)]
    yield "abaw6_va_loss", 2 - np.mean(each), batch["abaw6_va_loss"]
    yield "expr_repo_ccc_loss", 1 - of(truth.reshape(-1, 2), guess.reshape(-1, 2)) / 2, batch["expr_repo_ccc_loss"]


def _action_units(case: Case) -> Pairs:
    scores = action_unit_f1(case["label"], case["prob"])
    yield "f1_per_au", scores, case["f1_per_au"]
    yield "mean_f1", scores.mean(), case["mean_f1"]


def _expressions(case: Case) -> Pairs:
    scores = expression_f1(case["label"], case["logits"])
    yield "f1_per_class", scores, case["f1_per_class"]
    yield "macro_f1_reference", scores.mean(), case["macro_f1_reference"]
    yield "sklearn_macro_labels0to7", scores.mean(), case["sklearn_macro_labels0to7"]
    known = np.array(case["label"]) >= 0
    guess = np.array(case["logits"])[known].argmax(axis=1)
    # torchmetrics leaves out classes that occur nowhere, as our macro F1 does if it is given no labels.
    yield "torchmetrics_macro", macro_f1(np.array(case["label"])[known], guess), case["torchmetrics_macro"]


READERS = {  # by what the sidecars call themselves
    "mosi": _mosi,
    "mosei": _mosi,
    "sims": _sims,
    "classification3": _three_classes,
    "ccc": _concordances,
    "abaw_au": _action_units,
    "abaw_expr": _expressions,
}

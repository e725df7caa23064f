"""Scores of action units and expressions."""

import json

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.abaw import EXPRESSIONS, action_unit_f1, expression_f1
from toolkit.metrics.classification import macro_f1


def test_action_units_by_hand():
    truth = [[1, 0, 0], [1, 0, 0], [0, 0, 0], [-1, -1, -1]]
    probability = [[0.9, 0.1, 0.5], [0.2, 0.6, 0.5], [0.6, 0.2, 0.5], [0.9, 0.9, 0.9]]
    # first unit: two there, two said, one right; the second is said once in vain; 0.5 is not above a half
    assert action_unit_f1(truth, probability).tolist() == [0.5, 0, 0]


def test_expressions_by_hand():
    scores = np.eye(8)[[0, 0, 4, 4, 7]]
    # neutral: one there, two said, one right; sadness is never said; the last frame was not looked at
    assert expression_f1([0, 5, 4, 4, -1], scores) == pytest.approx([2 / 3, 0, 0, 0, 1, 0, 0, 0])


def test_reference_action_units(parity):
    for case in json.loads((parity / "metrics_abaw_au.json").read_text())["cases"]:
        scores = action_unit_f1(case["label"], case["prob"])
        assert scores == pytest.approx(case["f1_per_au"], abs=1e-6)
        assert scores.mean() == pytest.approx(case["mean_f1"], abs=1e-6)


def test_reference_expressions(parity):
    for case in json.loads((parity / "metrics_abaw_expr.json").read_text())["cases"]:
        scores = expression_f1(case["label"], case["logits"])
        assert scores == pytest.approx(case["f1_per_class"], abs=1e-6)
        assert scores.mean() == pytest.approx(case["macro_f1_reference"], abs=1e-6)
        assert scores.mean() == pytest.approx(case["sklearn_macro_labels0to7"], abs=1e-6)
        known = np.array(case["label"]) >= 0
        guess = np.array(case["logits"])[known].argmax(1)
        # torchmetrics leaves out classes that occur nowhere, as our macro F1 does if it is given no labels
        occurring = macro_f1(np.array(case["label"])[known], guess)
        assert occurring == pytest.approx(case["torchmetrics_macro"], abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "match"),
    [([[1, 0, 2]], "are 1, 0 or -1"), ([[-1, -1, -1]], "some must be known"), ([[1, 0]], "Expected both")],
)
def test_wrong_action_units(labels, match):
    with pytest.raises(UserError, match=match):
        action_unit_f1(labels, [[0.1, 0.2, 0.3]])


def test_wrong_expressions():
    with pytest.raises(UserError, match=r"Got labels \(2,\) and scores \(2, 7\)"):
        expression_f1([0, 1], np.ones((2, 7)))
    with pytest.raises(UserError, match="'8' as true class is not among 0"):
        expression_f1([8], np.ones((1, len(EXPRESSIONS))))
    with pytest.raises(UserError, match="0 true and 0 predicted classes"):
        expression_f1([-1], np.ones((1, 8)))

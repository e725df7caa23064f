"""Scores of action units and expressions."""

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.abaw import EXPRESSIONS, action_unit_f1, expression_f1


def test_action_units_by_hand():
    truth = [[1, 0, 0], [1, 0, 0], [0, 0, 0], [-1, -1, -1]]
    probability = [[0.9, 0.1, 0.5], [0.2, 0.6, 0.5], [0.6, 0.2, 0.5], [0.9, 0.9, 0.9]]
    # first unit: two there, two said, one right; the second is said once in vain; 0.5 is not above a half
    assert action_unit_f1(truth, probability).tolist() == [0.5, 0, 0]


def test_expressions_by_hand():
    scores = np.eye(8)[[0, 0, 4, 4, 7]]
    # neutral: one there, two said, one right; sadness is never said; the last frame was not looked at
    assert expression_f1([0, 5, 4, 4, -1], scores) == pytest.approx([2 / 3, 0, 0, 0, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("labels", "match"),
    [([[1, 0, 2]], "are 1, 0 or -1"), ([[-1, -1, -1]], "some must be known"), ([[1, 0]], "Expected both")],
)
def test_wrong_action_units(labels, match):
    with pytest.raises(UserError, match=match):
        action_unit_f1(labels, [[0.1, 0.2, 0.3]])


def test_what_diverged_has_no_score():
    with pytest.raises(UserError, match="A probability is NaN"):
        action_unit_f1([[1, 0]], [[np.nan, 0.2]])
    with pytest.raises(UserError, match="A score of a class is NaN"):
        expression_f1([0], np.full((1, 8), np.nan))
    unseen = np.vstack([np.eye(8)[0], np.full(8, np.nan)])
    assert expression_f1([0, -1], unseen)[0] == 1  # nobody looks at the second frame


def test_wrong_expressions():
    with pytest.raises(UserError, match=r"Got labels \(2,\) and scores \(2, 7\)"):
        expression_f1([0, 1], np.ones((2, 7)))
    with pytest.raises(UserError, match="'8' as true class is not among 0"):
        expression_f1([8], np.ones((1, len(EXPRESSIONS))))
    with pytest.raises(UserError, match="0 true and 0 predicted classes"):
        expression_f1([-1], np.ones((1, 8)))

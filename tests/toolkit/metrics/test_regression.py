"""Scores of numbers against hand-computed values and reference vectors."""

import math

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.regression import concordance, mean_absolute_error, mean_squared_error, pearson
from toolkit.metrics.sentiment import mosi_scores

TRUTH, GUESS = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 6.0]


def test_by_hand():
    assert mean_squared_error(TRUTH, GUESS) == (1 + 0 + 1 + 4) / 4
    assert mean_absolute_error(TRUTH, GUESS) == (1 + 0 + 1 + 2) / 4
    # means 2.5 and 3, variances 1.25 and 3, covariance (1.5 + 0.5 - 0.5 + 4.5) / 4 = 1.5
    assert pearson(TRUTH, GUESS) == pytest.approx(1.5 / math.sqrt(1.25 * 3))
    assert concordance(TRUTH, GUESS) == pytest.approx(2 * 1.5 / (1.25 + 3 + 0.25))


def test_concordance_with_other_divisors_by_hand():
    # by 3 in place of 4: covariance 2, variances 5/3 and 4
    both = concordance(TRUTH, GUESS, covariance_ddof=1, variance_ddof=1)
    assert both == pytest.approx(2 * 2 / (5 / 3 + 4 + 0.25))
    assert concordance(TRUTH, GUESS, variance_ddof=1) == pytest.approx(2 * 1.5 / (5 / 3 + 4 + 0.25))
    assert math.isnan(concordance([1.0], [2.0], variance_ddof=1))


@pytest.mark.parametrize("constant", [1.0, 0.1])  # the mean of four 0.1 is not 0.1 in binary
def test_constant_prediction(constant):
    assert math.isnan(pearson(TRUTH, [constant] * 4))
    assert concordance(TRUTH, [constant] * 4) == 0
    assert math.isnan(concordance([constant] * 7, [constant] * 7))


def test_far_from_zero():
    near = pearson(TRUTH, GUESS)
    assert pearson(np.array(TRUTH) + 1e8, np.array(GUESS) - 1e8) == pytest.approx(near, abs=1e-6)


def test_columns_are_no_rows():
    """Of two columns most scores would come out right, and others not; of a row and a column all would be wrong."""
    for truth, guess in ((np.ones((2, 1)), np.ones((2, 1))), (np.ones(2), np.ones((2, 1))), (np.ones((2, 2)), TRUTH)):
        for score in (mean_squared_error, pearson, mosi_scores):
            with pytest.raises(UserError, match=r"Got true numbers \(2.*Expected both \(clips,\)"):
                score(truth, guess)


@pytest.mark.parametrize("bad", [[1.0, float("nan")], [float("inf"), 0.0]])
def test_not_finite(bad):
    with pytest.raises(UserError, match="NaN or infinite"):
        mean_squared_error([1.0, 2.0], bad)

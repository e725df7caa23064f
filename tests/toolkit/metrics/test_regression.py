"""Scores of numbers against hand-computed values and reference vectors."""

import json
import math

import pytest

from toolkit.errors import UserError
from toolkit.metrics.regression import concordance, mean_squared_error, pearson

TRUTH, GUESS = [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 6.0]


def test_by_hand():
    assert mean_squared_error(TRUTH, GUESS) == (1 + 0 + 1 + 4) / 4
    # means 2.5 and 3, variances 1.25 and 3, covariance (1.5 + 0.5 - 0.5 + 4.5) / 4 = 1.5
    assert pearson(TRUTH, GUESS) == pytest.approx(1.5 / math.sqrt(1.25 * 3))
    assert concordance(TRUTH, GUESS) == pytest.approx(2 * 1.5 / (1.25 + 3 + 0.25))


def test_constant_prediction():
    assert math.isnan(pearson(TRUTH, [1.0] * 4))
    assert concordance(TRUTH, [1.0] * 4) == 0


@pytest.mark.parametrize("bad", [[1.0, float("nan")], [float("inf"), 0.0]])
def test_not_finite(bad):
    with pytest.raises(UserError, match="NaN or infinite"):
        mean_squared_error([1.0, 2.0], bad)


def test_reference_concordance(parity):
    for case in json.loads((parity / "metrics_ccc.json").read_text())["cases"]:
        assert concordance(case["label"], case["pred"]) == pytest.approx(case["ccc_population"], abs=1e-6)

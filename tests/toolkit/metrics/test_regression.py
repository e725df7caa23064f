"""Scores of numbers against hand-computed values and reference vectors."""

import json
import math

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.regression import concordance, mean_absolute_error, mean_squared_error, pearson

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


@pytest.mark.parametrize("bad", [[1.0, float("nan")], [float("inf"), 0.0]])
def test_not_finite(bad):
    with pytest.raises(UserError, match="NaN or infinite"):
        mean_squared_error([1.0, 2.0], bad)


@pytest.mark.parametrize(
    ("name", "divisors"),
    [
        ("ccc_population", {}),
        ("ccc_audmetric", {}),
        ("ccc_taif_eval", {"covariance_ddof": 1, "variance_ddof": 1}),
        ("ccc_abaw6_va_train", {"variance_ddof": 1}),
    ],
)
def test_reference_concordance(parity, name, divisors):
    cases = json.loads((parity / "metrics_ccc.json").read_text())["cases"]
    assert len(cases) == 5
    for case in cases:
        assert concordance(case["label"], case["pred"], **divisors) == pytest.approx(case[name], abs=1e-6)


def test_reference_losses_are_made_of_concordances(parity):
    batch = json.loads((parity / "metrics_ccc.json").read_text())["batch"]
    truth, guess = np.array(batch["label"]), np.array(batch["pred"])  # (sequences, frames, 2)
    sequences = list(zip(truth, guess, strict=True))
    parts = [
        np.mean([concordance(one[:, part], other[:, part], variance_ddof=1) for one, other in sequences])
        for part in range(2)
    ]
    assert 2 - sum(parts) == pytest.approx(batch["abaw6_va_loss"], abs=1e-6)
    columns = zip(truth.reshape(-1, 2).T, guess.reshape(-1, 2).T, strict=True)
    whole = [concordance(one, other, variance_ddof=1) for one, other in columns]
    assert 1 - np.mean(whole) == pytest.approx(batch["expr_repo_ccc_loss"], abs=1e-6)

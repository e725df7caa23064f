"""Bootstrap intervals against the obvious computation, scipy, and the truth."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from toolkit.errors import UserError
from toolkit.metrics import bootstrap
from toolkit.metrics.bootstrap import bootstrap_interval, percentile_interval, resample_weights, resampled_scores
from toolkit.metrics.tally import class_tally, mean_tally, number_tally
from toolkit.seeds import generator_for

GENERATOR = np.random.default_rng(1)
TRUTH = GENERATOR.integers(0, 6, 300)
GUESS = np.where(GENERATOR.random(300) < 0.7, TRUTH, GENERATOR.integers(0, 6, 300))


def test_weighted_f1_of_every_resample_is_the_one_of_its_clips():
    scores = resampled_scores([class_tally(TRUTH, GUESS, range(6))], resamples=50, seed=3)[0]
    draws = np.concatenate(list(resample_weights(generator_for(3, "bootstrap"), 300, 50))).astype(int)
    assert (draws.sum(axis=1) == 300).all()
    clips = [np.repeat(np.arange(300), row) for row in draws]
    assert scores == pytest.approx([f1_score(TRUTH[i], GUESS[i], average="weighted") for i in clips], abs=1e-12)


def test_equals_scipy():
    values = GENERATOR.normal(0, 1, 200)
    expected = stats.bootstrap((values,), np.mean, n_resamples=9999, method="percentile", rng=2).confidence_interval
    interval = bootstrap_interval(mean_tally(values), resamples=9999)
    width = expected.high - expected.low
    assert interval == pytest.approx((expected.low, expected.high), abs=0.05 * width)


def test_of_one_in_two_clips():
    # two clips, one right: resamples have 0, 1 or 2 right ones with 1/4, 1/2, 1/4
    scores = resampled_scores([mean_tally([1, 0])], resamples=8000, seed=0)[0]
    shares = [(scores == value).mean() for value in (0, 0.5, 1)]
    assert shares == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.02)
    assert bootstrap_interval(mean_tally([1, 0]), confidence=0.4) == (0.5, 0.5)
    assert bootstrap_interval(mean_tally([1, 0]), confidence=0.9) == (0, 1)


def test_percentiles():
    scores = np.arange(101.0)
    assert percentile_interval(scores, 0.95) == pytest.approx((2.5, 97.5))
    assert percentile_interval(np.append(scores, np.nan), 0.5) == pytest.approx((25, 75))


def test_covers_the_truth_as_often_as_it_says():
    generator, covered = np.random.default_rng(7), 0
    for seed in range(150):
        low, high = bootstrap_interval(mean_tally(generator.normal(0.3, 1, 80)), resamples=400, seed=seed)
        covered += low <= 0.3 <= high
    assert 0.88 < covered / 150 < 0.99


def test_seed_decides():
    tally = class_tally(TRUTH, GUESS, range(6))
    assert bootstrap_interval(tally, seed=1) == bootstrap_interval(tally, seed=1) != bootstrap_interval(tally, seed=2)


def test_memory_does_not_change_the_draws(monkeypatch):
    tally = class_tally(TRUTH, GUESS, range(6))
    whole = resampled_scores([tally], resamples=23, seed=0)
    monkeypatch.setattr(bootstrap, "BLOCK", 5 * 300)
    assert bootstrap.block_sizes(300, 23) == [5, 5, 5, 5, 3]
    assert resampled_scores([tally], resamples=23, seed=0).tolist() == whole.tolist()


def test_without_a_score():
    assert all(math.isnan(end) for end in bootstrap_interval(number_tally([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])))


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence):
    with pytest.raises(UserError, match=f"Got a confidence of {confidence}. Expected a share"):
        bootstrap_interval(mean_tally([1, 0]), confidence=confidence)


def test_no_resample():
    with pytest.raises(UserError, match="Got 0 resamples"):
        bootstrap_interval(mean_tally([1, 0]), resamples=0)

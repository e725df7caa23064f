"""Paired tests against hand-counted examples and scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from toolkit.errors import UserError
from toolkit.metrics.class_counts import accuracy_of
from toolkit.metrics.classification import weighted_f1
from toolkit.metrics.paired import compare_clips, compare_runs
from toolkit.metrics.tally import class_tally, mean_tally, number_tally


def guesses(clips, share_first, share_second, seed=0, classes=4):
    """Truth and two predictions that are right as often as said, else anything."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, clips)
    return truth, *(
        np.where(generator.random(clips) < share, truth, generator.integers(0, classes, clips))
        for share in (share_first, share_second)
    )


def test_accuracy_is_the_exact_test_of_mcnemar():
    # 12 clips: the first alone is right on 6, the second alone on 1; chance has 0, 1, 6 or 7 of 7: 2 (1 + 7) / 128
    first, second = np.array([1] * 6 + [0] + [1] * 5), np.array([0] * 6 + [1] + [1] * 5)
    truth = np.ones(12, int)
    comparison = compare_clips(*(class_tally(truth, guess, range(2), accuracy_of) for guess in (first, second)))
    assert comparison.difference == pytest.approx(5 / 12)
    assert comparison.p_value == 0.125
    assert stats.binomtest(1, 7).pvalue == 0.125


@pytest.mark.parametrize("seed", range(3))
def test_few_clips_are_counted_out_as_scipy_does(seed):
    truth, first, second = guesses(9, 0.9, 0.3, seed)
    expected = stats.permutation_test(
        (first, second), lambda one, other: weighted_f1(truth, one, range(4)) - weighted_f1(truth, other, range(4)),
        permutation_type="samples", n_resamples=np.inf, vectorized=False,
    )  # fmt: skip
    comparison = compare_clips(class_tally(truth, first, range(4)), class_tally(truth, second, range(4)))
    assert comparison.difference == pytest.approx(expected.statistic, abs=1e-12)
    assert comparison.p_value == pytest.approx(expected.pvalue, abs=1e-12)


def test_many_clips_are_drawn_as_scipy_does():
    truth, first, second = guesses(200, 0.6, 0.5, seed=4)
    expected = stats.permutation_test(
        (first, second), lambda one, other: weighted_f1(truth, one, range(4)) - weighted_f1(truth, other, range(4)),
        permutation_type="samples", n_resamples=2000, vectorized=False, rng=0,
    )  # fmt: skip
    assert 0.02 < expected.pvalue < 0.9
    comparison = compare_clips(class_tally(truth, first, range(4)), class_tally(truth, second, range(4)))
    assert comparison.p_value == pytest.approx(expected.pvalue, abs=0.04)


def test_interval_sees_the_same_clips_on_both_sides():
    # paired errors are nearly the same, so their difference is far surer than either
    generator = np.random.default_rng(0)
    first = generator.normal(5, 3, 400)
    second = first - 0.2 + generator.normal(0, 0.1, 400)
    comparison = compare_clips(mean_tally(first), mean_tally(second))
    error = (first - second).std() / math.sqrt(400)
    assert (comparison.low, comparison.high) == pytest.approx((0.2 - 1.96 * error, 0.2 + 1.96 * error), abs=0.015)
    assert comparison.low < comparison.difference < comparison.high
    assert comparison.high - comparison.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert comparison.p_value == 1 / 10_001


def test_equal_predictions():
    truth, first, _ = guesses(50, 0.6, 0.5)
    tally = class_tally(truth, first, range(4))
    assert compare_clips(tally, tally) == (0, 0, 0, 1)


def test_sides_are_alike():
    truth, first, second = guesses(300, 0.7, 0.5)
    one, other = (class_tally(truth, guess, range(4)) for guess in (first, second))
    here, there = compare_clips(one, other), compare_clips(other, one)
    assert here.p_value == there.p_value
    assert (here.difference, here.low, here.high) == pytest.approx((-there.difference, -there.high, -there.low))


def test_chance_alone_is_rarely_significant():
    p_values = []
    for seed in range(100):
        truth, first, second = guesses(60, 0.5, 0.5, seed)
        tallies = (class_tally(truth, guess, range(4)) for guess in (first, second))
        p_values.append(compare_clips(*tallies, resamples=400, seed=seed).p_value)
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.08)


def test_a_correlation_can_be_compared():
    generator = np.random.default_rng(2)
    truth = generator.normal(0, 1, 300)
    good, bad = truth + generator.normal(0, 0.3, 300), 10 + truth + generator.normal(0, 2, 300)
    comparison = compare_clips(number_tally(truth, good), number_tally(truth, bad))
    assert comparison.difference == pytest.approx(np.corrcoef(truth, good)[0, 1] - np.corrcoef(truth, bad)[0, 1])
    assert comparison.p_value < 0.001


def test_runs_by_hand():
    # of 8 ways to flip three signs, only all or none make a mean as far from 0
    assert compare_runs([0.71, 0.72, 0.74], [0.70, 0.70, 0.71]).p_value == 2 / 8
    # 3 - 1 - 1 = 1; of 8 sums (5, 3, 3, 1 and their negatives), all are as far
    assert compare_runs([3, 0, 0], [0, 1, 1]).p_value == 1
    # 4 + 2 - 1 = 5 is beaten by 7 and equalled by itself, each either way
    assert compare_runs([4, 2, 0], [0, 0, 1]).p_value == 4 / 8
    assert compare_runs([0.7] * 5, [0.6] * 5).p_value == pytest.approx(2 / 32)


@pytest.mark.parametrize("runs", [4, 10])
def test_runs_equal_scipy(runs):
    generator = np.random.default_rng(runs)
    first, second = generator.normal(0.7, 0.02, runs), generator.normal(0.69, 0.02, runs)
    comparison = compare_runs(first, second)
    expected = stats.permutation_test(
        (first, second), lambda one, other, axis: np.mean(one - other, axis=axis),
        permutation_type="samples", n_resamples=np.inf, vectorized=True,
    )  # fmt: skip
    assert comparison.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    interval = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (comparison.low, comparison.high) == pytest.approx((interval.low, interval.high))
    assert comparison.difference == pytest.approx((first - second).mean())


def test_many_runs_are_drawn():
    generator = np.random.default_rng(0)
    first, second = generator.normal(0.70, 0.02, 40), generator.normal(0.69, 0.02, 40)
    expected = stats.ttest_rel(first, second).pvalue
    assert compare_runs(first, second).p_value == pytest.approx(expected, abs=0.03)


def test_one_run_says_nothing():
    comparison = compare_runs([0.7], [0.6])
    assert comparison.p_value == 1
    assert math.isnan(comparison.low)
    assert math.isnan(comparison.high)


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [([0.1], [0.1, 0.2], "Got 1 and 2 runs"), ([], [], "Got 0 and 0 runs"), ([0.1], [math.nan], "NaN or infinite")],
)
def test_runs_that_cannot_be_compared(first, second, match):
    with pytest.raises(UserError, match=match):
        compare_runs(first, second)


def test_clips_that_cannot_be_compared():
    with pytest.raises(UserError, match="Got scores of 2 and 3 clips"):
        compare_clips(mean_tally([1, 2]), mean_tally([1, 2, 3]))

"""Importance of options: shares of variance by hand, and what chance gives."""

from itertools import permutations

import numpy as np
import pytest

from baseline.importance import correlation_ratio, importances
from baseline.trial import Trial

HIDDEN, DROPOUT = (4, 4, 8, 8), (0.1, 0.2, 0.1, 0.2)


def trials(merits, **more):
    settings = [{"hidden": h, "dropout": d, **more} for h, d in zip(HIDDEN, DROPOUT, strict=True)]
    return [Trial(n, s, [[m]]) for n, (s, m) in enumerate(zip(settings, merits, strict=True), start=1)]


def test_main_effects_of_a_sum():
    """Merits that are a sum of both options: the shares are those of the sums of squares, 0.8 and 0.2."""
    hidden, dropout = importances(trials([1.0, 2.0, 3.0, 4.0]))
    assert (hidden.option, dropout.option) == ("hidden", "dropout")
    assert (hidden.share, dropout.share) == pytest.approx((0.8, 0.2))
    assert hidden.chance == pytest.approx(1 / 3)
    assert [(v.value, v.trials, v.mean) for v in hidden.values] == [(8, 2, 3.5), (4, 2, 1.5)]
    assert hidden.values[0].deviation == pytest.approx(0.5**0.5)


def test_what_matters_together_only_is_in_no_share():
    assert [one.share for one in importances(trials([1.0, 2.0, 2.0, 1.0]))] == pytest.approx([0, 0])


def test_error_is_that_of_the_jackknife():
    """Without one trial: of (2, 3, 4) and of (1, 2, 3) the share is 3/4, of (1, 3, 4) and of (1, 2, 4) it is 25/28."""
    hidden, _ = importances(trials([1.0, 2.0, 3.0, 4.0]))
    shares = np.array([0.75, 25 / 28, 25 / 28, 0.75])
    assert hidden.error == pytest.approx(np.sqrt(3 / 4 * ((shares - shares.mean()) ** 2).sum()))


def test_chance_is_the_mean_over_all_ways_to_deal_the_merits_out():
    groups, merits = np.array([0, 0, 1, 1, 2, 2]), np.array([0.1, 0.5, 0.2, 0.9, 0.4, 0.8])
    mean = np.mean([correlation_ratio(groups, np.array(order)) for order in permutations(merits)])
    assert mean == pytest.approx((3 - 1) / (6 - 1))


def test_left_out_are_failed_trials_and_options_with_one_value():
    failed = Trial(5, {"hidden": 16, "dropout": 0.1, "rank": 3}, note="diverged")
    found = importances([*trials([1.0, 2.0, 3.0, 4.0], rank=3), failed])
    assert {one.option: [v.value for v in one.values] for one in found} == {"hidden": [8, 4], "dropout": [0.2, 0.1]}


def test_equal_merits_and_too_few_trials():
    assert [one.share for one in importances(trials([1.0] * 4))] == [0, 0]
    assert importances(trials([1.0, 2.0, 3.0, 4.0])[:2]) == []
    assert importances([]) == []

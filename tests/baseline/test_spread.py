"""Mean and deviation: of a sample, and none of a single number."""

import math

from baseline.spread import deviation, mean_and_std, plus_minus


def test_deviation_of_a_sample():
    """Squares of -0.15, -0.05, 0.05 and 0.15 add up to 0.05; over n - 1 = 3."""
    assert math.isclose(deviation([0.5, 0.6, 0.7, 0.8]), math.sqrt(0.05 / 3))
    assert math.isnan(deviation([0.5]))


def test_mean_and_std_of_those_that_have_a_score():
    found = mean_and_std([{"score": 0.5, "mse": 2.0}, {"score": 0.75}, {"score": 1.0}])
    assert found == {"score": {"mean": 0.75, "std": 0.25}, "mse": {"mean": 2.0}}
    assert mean_and_std([]) == {}


def test_words():
    assert plus_minus({"mean": 0.5, "std": 0.25}) == "0.5000 ± 0.2500"
    assert plus_minus({"mean": 0.5}) == "0.5000"

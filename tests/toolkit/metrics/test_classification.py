"""Scores of classes against tables computed by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from toolkit.errors import UserError
from toolkit.metrics.classification import accuracy, confusion, unweighted_recall, weighted_f1

TRUTH = ["neutral", "neutral", "neutral", "happy", "happy", "sad"]
GUESS = ["neutral", "neutral", "happy", "happy", "sad", "angry"]
LABELS = ["neutral", "angry", "happy", "sad"]


def test_by_hand():
    # neutral: precision 1, recall 2/3, F1 0.8; happy: 1/2, 1/2, 0.5; sad: 0, 0, 0; angry never true
    assert weighted_f1(TRUTH, GUESS, LABELS) == pytest.approx((3 * 0.8 + 2 * 0.5 + 1 * 0) / 6)
    assert accuracy(TRUTH, GUESS) == 0.5
    assert unweighted_recall(TRUTH, GUESS) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert confusion(TRUTH, GUESS, LABELS).tolist() == [[2, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]]


def test_perfect_and_hopeless():
    assert weighted_f1(TRUTH, TRUTH) == 1
    assert weighted_f1(["a", "a"], ["b", "b"]) == 0


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    truth, guess = generator.integers(0, 6, 60), generator.integers(0, 4, 60)
    assert weighted_f1(truth, guess, range(6)) == pytest.approx(f1_score(truth, guess, average="weighted"), abs=1e-12)
    expected = recall_score(truth, guess, average="macro", labels=np.unique(truth))
    assert unweighted_recall(truth, guess) == pytest.approx(expected, abs=1e-12)


def test_unknown_class():
    with pytest.raises(UserError, match="'joyful' as predicted class is not among neutral"):
        weighted_f1(["happy"], ["joyful"], LABELS)


@pytest.mark.parametrize(("truth", "guess"), [([], []), (["happy"], ["happy", "sad"])])
def test_nothing_or_unequal_lengths(truth, guess):
    with pytest.raises(UserError, match="expected as many of both"):
        accuracy(truth, guess)


@pytest.mark.parametrize("missing", [np.nan, None])
@pytest.mark.parametrize("score", [accuracy, unweighted_recall, weighted_f1])
def test_missing_class_is_not_a_class_of_its_own(score, missing):
    with pytest.raises(UserError, match="A true class is missing"):
        score(["happy", missing], ["happy", "happy"])
    with pytest.raises(UserError, match="A predicted class is missing"):
        score(["happy", "happy"], ["happy", missing])

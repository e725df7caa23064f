"""Tallies against the scores they stand for."""

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.class_counts import accuracy_of, macro_f1_of, unweighted_recall_of, weighted_f1_of
from toolkit.metrics.classification import accuracy, macro_f1, unweighted_recall, weighted_f1
from toolkit.metrics.combined import emotion_valence_score
from toolkit.metrics.regression import concordance, concordance_of, mean_squared_error, pearson
from toolkit.metrics.tally import class_tally, joined, mean_tally, number_tally

CLIPS = 90
GENERATOR = np.random.default_rng(5)
TRUTH, GUESS = GENERATOR.integers(0, 6, CLIPS), GENERATOR.integers(0, 6, CLIPS)
RATED, RATING = GENERATOR.normal(3, 2, CLIPS), GENERATOR.normal(2, 1, CLIPS)
WEIGHTS = GENERATOR.multinomial(CLIPS, [1 / CLIPS] * CLIPS, size=20).astype(float)
ONCE = np.arange(CLIPS)


def combined():
    return joined(class_tally(TRUTH, GUESS, range(6)), mean_tally((RATED - RATING) ** 2), emotion_valence_score)


CASES = {
    "weighted F1": (lambda: class_tally(TRUTH, GUESS, range(6)), lambda i: weighted_f1(TRUTH[i], GUESS[i], range(6))),
    "macro F1": (
        lambda: class_tally(TRUTH, GUESS, range(6), macro_f1_of),
        lambda i: macro_f1(TRUTH[i], GUESS[i], range(6)),
    ),
    "UAR": (
        lambda: class_tally(TRUTH, GUESS, range(6), unweighted_recall_of),
        lambda i: unweighted_recall(TRUTH[i], GUESS[i]),
    ),
    "accuracy": (lambda: class_tally(TRUTH, GUESS, range(6), accuracy_of), lambda i: accuracy(TRUTH[i], GUESS[i])),
    "MSE": (lambda: mean_tally((RATED - RATING) ** 2), lambda i: mean_squared_error(RATED[i], RATING[i])),
    "Pearson": (lambda: number_tally(RATED, RATING), lambda i: pearson(RATED[i], RATING[i])),
    "CCC": (lambda: number_tally(RATED, RATING, concordance_of), lambda i: concordance(RATED[i], RATING[i])),
    "WAF - 0.25 MSE": (
        combined,
        lambda i: weighted_f1(TRUTH[i], GUESS[i], range(6)) - 0.25 * mean_squared_error(RATED[i], RATING[i]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_resamples_are_scored_as_the_clips_themselves(name):
    make, score = CASES[name]
    tally = make()
    assert tally.score == pytest.approx(score(ONCE), abs=1e-12)
    slow = [score(np.repeat(ONCE, row.astype(int))) for row in WEIGHTS]
    assert len(set(slow)) > 5
    assert tally.scores(WEIGHTS) == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize("name", ["weighted F1", "macro F1"])
def test_scores_of_classes_are_equal_to_the_last_bit(name):
    make, score = CASES[name]
    assert make().scores(WEIGHTS).tolist() == [score(np.repeat(ONCE, row.astype(int))) for row in WEIGHTS]


def test_words_are_classes_too():
    tally = class_tally(["sad", "sad", "happy"], ["sad", "happy", "happy"], ["happy", "sad"], weighted_f1_of)
    assert tally.score == pytest.approx(2 / 3)


def test_a_clip_without_a_value_adds_nothing():
    tally = mean_tally([1.0, np.nan, 3.0])
    assert tally.score == 2
    weights = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 0.0]])
    assert tally.scores(weights)[0] == 1
    assert np.isnan(tally.scores(weights)[1])


def test_some_of_the_clips():
    rows = ONCE < 30
    tally = class_tally(TRUTH, GUESS, range(6)).only(rows)
    assert len(tally.terms) == CLIPS
    assert tally.score == weighted_f1(TRUTH[rows], GUESS[rows], range(6))
    numbers = number_tally(RATED, RATING).only(rows)
    assert numbers.score == pytest.approx(pearson(RATED[rows], RATING[rows]), abs=1e-12)


@pytest.mark.parametrize("constant", [0.1, 1000.1])
def test_a_constant_has_no_correlation(constant):
    tally = number_tally(RATED, np.full(CLIPS, constant))
    assert np.isnan(tally.score)
    assert np.isnan(tally.scores(WEIGHTS)).all()


def test_not_the_same_clips():
    with pytest.raises(UserError, match="Got scores of 2 and 3 clips"):
        joined(mean_tally([1, 2]), mean_tally([1, 2, 3]), emotion_valence_score)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_to_average(values):
    with pytest.raises(UserError, match="values to be averaged is a number"):
        mean_tally(values)

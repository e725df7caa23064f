"""Classes and values: what is true, what is said, and scores by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from baseline.fine_tuning.classes import Classes
from baseline.fine_tuning.values import Values
from toolkit.errors import UserError

NAMES = ("angry", "happy", "sad")


def votes(*codes):
    return np.eye(3)[list(codes)] * 0.6 + 0.1


def test_classes_by_hand():
    """Four angry, three of them found; two happy, one found; the third class has no clip and does not count."""
    truth = np.array([0, 0, 0, 0, 1, 1])
    scores = Classes(NAMES).scores(truth, votes(0, 0, 0, 2, 1, 0))
    assert scores["unweighted_recall"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert scores["accuracy"] == scores["score"] == pytest.approx(4 / 6)
    # F1: 2 * 3 / (4 + 4) of angry, 2 * 1 / (2 + 1) of happy, weighing 4 and 2.
    assert scores["weighted_f1"] == pytest.approx((0.75 * 4 + 2 / 3 * 2) / 6)
    details = Classes(NAMES).details(truth, votes(0, 0, 0, 2, 1, 0))
    assert details["recall"] == {"angry": 0.75, "happy": 0.5}
    assert details["confusion"] == {"labels": list(NAMES), "matrix": [[3, 0, 1], [1, 1, 0], [0, 0, 0]]}


def test_classes_of_a_table():
    table = pd.DataFrame({"name": ["a", "b", "c"], "emotion": ["sad", np.nan, "angry"]})
    goal = Classes(NAMES)
    truth = goal.truth(table)
    assert truth.tolist() == [2, -1, 0]
    assert goal.known(truth).tolist() == [True, False, True]
    assert goal.prior(np.array([0, 0, 2, 0])).tolist() == [0.75, 0, 0.25]
    with pytest.raises(UserError, match="clip 'a' is of the class 'sad'"):
        Classes(("angry", "happy")).truth(table)
    columns = goal.columns(truth, votes(2, 1, 1))
    assert columns["emotion"].tolist() == ["sad", "happy", "happy"]
    assert columns["true_emotion"].tolist()[::2] == ["sad", "angry"]
    assert pd.isna(columns["true_emotion"][1])
    assert columns["probability_sad"].tolist() == pytest.approx([0.7, 0.1, 0.1])


def test_classes_say_probabilities():
    said = Classes(NAMES).said(torch.tensor([[0.0, np.log(2), np.log(5)]]))
    assert said[0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])


def test_values_by_hand():
    truth = np.array([[0.0, 1], [2, 1], [4, 4]])
    said = np.array([[1.0, 1], [2, 1], [3, 4]])
    scores = Values(("arousal", "valence")).scores(truth, said)
    # Arousal: errors 1, 0, 1; covariance 8/3 / 2 = 4/3, variances 8/3 and 2/3, no shift.
    assert scores["mae_arousal"] == pytest.approx(2 / 3)
    assert scores["pcc_arousal"] == pytest.approx(1)
    assert scores["ccc_arousal"] == pytest.approx(2 * (4 / 3) / (8 / 3 + 2 / 3))
    assert scores["ccc_valence"] == pytest.approx(1)
    assert scores["ccc"] == scores["score"] == pytest.approx((0.8 + 1) / 2)
    assert scores["mae"] == pytest.approx(1 / 3)


def test_values_that_are_all_the_same_correlate_with_nothing():
    scores = Values(("valence",)).scores(np.array([[0.0], [1.0]]), np.array([[0.5], [0.5]]))
    assert scores["pcc"] == scores["ccc"] == 0
    assert set(scores) == {"score", "mae", "mse", "pcc", "ccc"}


def test_values_of_a_table():
    table = pd.DataFrame({"name": ["a", "b"], "valence": [0.5, np.nan], "arousal": [1.0, 2.0]})
    goal = Values(("arousal", "valence"))
    truth = goal.truth(table)
    assert goal.known(truth).tolist() == [True, False]
    assert goal.prior(np.array([[1.0, 2], [2, 6]])).tolist() == [1.5, 4]
    columns = goal.columns(truth, np.array([[3.0, 4], [5, 6]]))
    assert columns["valence"].tolist() == [4, 6]
    assert columns["true_arousal"].tolist() == [1, 2]
    with pytest.raises(UserError, match="no column 'dominance'"):
        Values(("dominance",)).truth(table)
    with pytest.raises(UserError, match="'emotion' cannot name a value"):
        Values(("emotion",))


def test_of_no_clips_there_are_no_scores():
    assert Classes(NAMES).scores(np.zeros(0, np.int64), np.zeros((0, 3))) == {}
    assert Values(("valence",)).scores(np.zeros((0, 1)), np.zeros((0, 1))) == {}

"""Scores of sentiment against tables computed by hand and the reference's."""

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.sentiment import mosi_scores, sims_scores, three_class_scores


def test_mosi_by_hand():
    scores = mosi_scores([-2.5, -0.4, 0, 0, 1.5, 3], [-1.2, 0.3, -0.1, -0.2, 2.5, 2.2])
    # not negative: - - + + + + against - + - - + +
    assert scores["accuracy_2_has0"] == 3 / 6
    assert scores["f1_has0"] == pytest.approx((2 * 2 / 5 + 4 * 4 / 7) / 6)
    # without the two of 0: - - + + against - + + +
    assert scores["accuracy_2_non0"] == 3 / 4
    assert scores["f1_non0"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    # nearest whole numbers: -2 0 0 0 2 3 against -1 0 0 0 2 2, where 2.5 and -2.5 go to the even one
    assert scores["accuracy_7"] == pytest.approx(4 / 6)
    assert scores["accuracy_5"] == pytest.approx(5 / 6)
    assert scores["mae"] == pytest.approx((1.3 + 0.7 + 0.1 + 0.2 + 1.0 + 0.8) / 6)


def test_sims_by_hand():
    scores = sims_scores([-0.8, -0.2, 0, 0.2, 1], [-0.7, -0.1, 0.1, -0.3, 1.4])
    assert scores["accuracy_5"] == 4 / 5  # 0 1 2 3 4 against 0 1 2 1 4: a limit is of the class below
    assert scores["accuracy_3"] == 4 / 5  # 0 0 1 2 2 against 0 0 1 0 2
    assert scores["accuracy_2"] == 3 / 5  # 0 0 0 1 1 against 0 0 1 0 1
    assert scores["f1"] == pytest.approx((3 * 4 / 6 + 2 * 2 / 4) / 5)
    assert scores["mae"] == pytest.approx((0.1 + 0.1 + 0.1 + 0.5 + 0) / 5)  # 1.4 counts as 1


def test_three_classes_by_hand():
    logits = np.array([[2, 0, 1], [0, 3, 1], [0, 1, 2], [1, 3, 0], [0, 5, 1]])
    scores = three_class_scores([0, 1, 2, 2, 0], logits)
    assert scores["accuracy_3"] == 3 / 5  # 0 1 2 1 1
    assert scores["f1_3"] == pytest.approx((2 * 2 / 3 + 1 * 2 / 4 + 2 * 2 / 3) / 5)
    assert scores["accuracy_2_has0"] == 2 / 5  # positive: - - + + - against - + + - +
    assert scores["f1_has0"] == pytest.approx((3 * 2 / 5 + 2 * 2 / 5) / 5)
    assert scores["accuracy_2_non0"] == 2 / 4  # without the neutral one: - + + - against - + - +
    assert scores["f1_non0"] == 0.5


def test_nothing_but_zeros_has_no_score_without_zeros():
    scores = mosi_scores([0, 0], [1, -1])
    assert scores["accuracy_2_has0"] == 0.5
    assert np.isnan([scores["accuracy_2_non0"], scores["f1_non0"], scores["correlation"]]).all()
    assert np.isnan(three_class_scores([1], np.ones((1, 3)))["f1_non0"])


def test_wrong_shape_and_label():
    with pytest.raises(UserError, match=r"Got scores \(2, 2\) of 2 clips. Expected \(2, 3\)"):
        three_class_scores([0, 1], np.ones((2, 2)))
    with pytest.raises(UserError, match="'3' as true class is not among 0, 1, 2"):
        three_class_scores(np.array([3]), np.ones((1, 3)))
    with pytest.raises(UserError, match="A score of a class is NaN"):
        three_class_scores(np.array([0]), np.full((1, 3), np.nan))

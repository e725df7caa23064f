"""Scores of sentiment against tables computed by hand and the reference's."""

import json

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.classification import accuracy, weighted_f1
from toolkit.metrics.sentiment import mosi_scores, sims_scores, three_class_scores

MOSI = {
    "Has0_acc_2": "accuracy_2_has0", "Has0_F1_score": "f1_has0",
    "Non0_acc_2": "accuracy_2_non0", "Non0_F1_score": "f1_non0",
    "Mult_acc_5": "accuracy_5", "Mult_acc_7": "accuracy_7", "MAE": "mae", "Corr": "correlation",
}  # fmt: skip
SIMS = {
    "Mult_acc_2": "accuracy_2", "Mult_acc_3": "accuracy_3", "Mult_acc_5": "accuracy_5",
    "F1_score": "f1", "MAE": "mae", "Corr": "correlation",
}  # fmt: skip


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


@pytest.mark.parametrize("corpus", ["mosi", "mosei"])
def test_reference_mosi(parity, corpus):
    path = parity / f"metrics_{corpus}.json"
    if not path.is_file():
        pytest.skip(f"no vectors of {corpus}")
    for case in json.loads(path.read_text())["cases"]:
        scores = mosi_scores(case["label"], case["pred"])
        assert set(case["metrics"]) == set(MOSI)
        for theirs, ours in MOSI.items():  # the reference rounds to four places
            assert round(scores[ours], 4) == pytest.approx(case["metrics"][theirs], abs=1e-6), ours


def test_reference_sims(parity):
    for case in json.loads((parity / "metrics_sims.json").read_text())["cases"]:
        scores = sims_scores(case["label"], case["pred"])
        assert set(case["metrics"]) == set(SIMS)
        for theirs, ours in SIMS.items():
            assert scores[ours] == pytest.approx(case["metrics"][theirs], abs=1e-6), ours


def test_reference_three_classes(parity):
    """All but the pair without neutral clips, where the reference compares 0 or 1 with labels of 0 or 2."""
    right = {"Has0_acc_2": "accuracy_2_has0", "Has0_F1_score": "f1_has0", "Acc_3": "accuracy_3", "F1_score_3": "f1_3"}
    for case in json.loads((parity / "metrics_msa_classification.json").read_text())["cases"]:
        labels, logits, theirs = np.array(case["label"]), np.array(case["logits"]), case["metrics"]
        scores = three_class_scores(labels, logits)
        assert set(theirs) == {*right, "Non0_acc_2", "Non0_F1_score"}
        for name, ours in right.items():
            assert round(scores[ours], 4) == pytest.approx(theirs[name], abs=1e-6), ours
        charged = labels != 1
        choice = (logits[charged, 2] > logits[charged, 0]).astype(int)
        assert round(accuracy(labels[charged], choice), 4) == theirs["Non0_acc_2"]  # the mistake, made on purpose
        assert round(weighted_f1(labels[charged], choice), 4) == theirs["Non0_F1_score"]
        assert scores["accuracy_2_non0"] == accuracy(labels[charged] // 2, choice) > theirs["Non0_acc_2"]
        assert scores["f1_non0"] == weighted_f1(labels[charged] // 2, choice)


def test_wrong_shape_and_label():
    with pytest.raises(UserError, match=r"Got scores \(2, 2\) of 2 clips. Expected \(2, 3\)"):
        three_class_scores([0, 1], np.ones((2, 2)))
    with pytest.raises(UserError, match="'3' as true class is not among 0, 1, 2"):
        three_class_scores(np.array([3]), np.ones((1, 3)))

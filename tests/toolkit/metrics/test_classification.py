"""Scores of classes against tables computed by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from toolkit.errors import UserError
from toolkit.metrics.classification import accuracy, class_f1, confusion, macro_f1, unweighted_recall, weighted_f1

TRUTH = ["neutral", "neutral", "neutral", "happy", "happy", "sad"]
GUESS = ["neutral", "neutral", "happy", "happy", "sad", "angry"]
LABELS = ["neutral", "angry", "happy", "sad"]


def test_by_hand():
    # neutral: precision 1, recall 2/3, F1 0.8; happy: 1/2, 1/2, 0.5; sad: 0, 0, 0; angry never true
    assert weighted_f1(TRUTH, GUESS, LABELS) == pytest.approx((3 * 0.8 + 2 * 0.5 + 1 * 0) / 6)
    assert class_f1(TRUTH, GUESS, LABELS) == pytest.approx([0.8, 0, 0.5, 0])
    assert macro_f1(TRUTH, GUESS, LABELS) == pytest.approx((0.8 + 0.5 + 0 + 0) / 4)
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
    assert macro_f1(truth, guess) == pytest.approx(f1_score(truth, guess, average="macro"), abs=1e-12)
    every = f1_score(truth, guess, average=None, labels=range(9), zero_division=0)
    assert class_f1(truth, guess, range(9)) == pytest.approx(every, abs=1e-12)
    assert macro_f1(truth, guess, range(9)) == pytest.approx(every.mean(), abs=1e-12)
    assert accuracy(truth, guess) == accuracy_score(truth, guess)


def test_unknown_class():
    with pytest.raises(UserError, match="'joyful' as predicted class is not among neutral"):
        weighted_f1(["happy"], ["joyful"], LABELS)


@pytest.mark.parametrize(("truth", "guess"), [([], []), (["happy"], ["happy", "sad"])])
def test_nothing_or_unequal_lengths(truth, guess):
    with pytest.raises(UserError, match="expected as many of both"):
        accuracy(truth, guess)


@pytest.mark.parametrize("column", [np.array([["happy"], ["sad"]]), np.array([[0], [1]])], ids=["words", "codes"])
@pytest.mark.parametrize("score", [accuracy, unweighted_recall, weighted_f1])
def test_columns_are_no_rows(score, column):
    with pytest.raises(UserError, match=r"The true classes have the shape \(2, 1\). Expected \(clips,\)"):
        score(column, column)
    with pytest.raises(UserError, match=r"The predicted classes have the shape \(2, 1\)"):
        score(column[:, 0], column)


@pytest.mark.parametrize("missing", [np.nan, None])
@pytest.mark.parametrize("score", [accuracy, unweighted_recall, weighted_f1])
def test_missing_class_is_not_a_class_of_its_own(score, missing):
    with pytest.raises(UserError, match="A true class is missing"):
        score(["happy", missing], ["happy", "happy"])
    with pytest.raises(UserError, match="A predicted class is missing"):
        score(["happy", "happy"], ["happy", missing])


def test_macro_f1_of_an_absent_class():
    assert macro_f1(["a", "b"], ["a", "b"]) == 1
    assert macro_f1(["a", "b"], ["a", "b"], ["a", "b", "c", "d"]) == 0.5


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_codes_are_counted_as_words_are(dtype):
    generator = np.random.default_rng(0)
    truth, guess = generator.integers(0, 20, (2, 500)).astype(dtype)  # 20 * 20 cells do not fit into 8 bits
    words = [f"class {code}" for code in range(20)]
    table = confusion(truth, guess, range(20))
    assert table.tolist() == confusion([words[i] for i in truth], [words[i] for i in guess], words).tolist()
    assert table.tolist() == confusion_matrix(truth, guess, labels=range(20)).tolist()


def test_codes_are_not_taken_for_places_of_other_labels():
    truth, guess = np.array([3, 2, 2]), np.array([3, 3, 2])
    assert confusion(truth, guess, range(2, 4)).tolist() == [[1, 1], [0, 1]]
    assert confusion(truth, guess, range(3, 1, -1)).tolist() == [[1, 0], [1, 1]]
    assert confusion(truth, guess, [3, 2]).tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("truth", "guess"), [([0, 1], [0, 3]), ([0, -1], [0, 1]), ([5, 1], [0, 1]), ([0, 1], [0]), ([], [])]
)
def test_codes_fail_as_words_do(truth, guess):
    truth, guess = np.array(truth, np.int64), np.array(guess, np.int64)
    messages = []
    for labels in (range(3), [0, 1, 2]):
        with pytest.raises(UserError) as error:
            confusion(truth, guess, labels)
        messages.append(str(error.value))
    assert messages[0] == messages[1]

"""Evidence: numbers worked out by hand on a few rows."""

import numpy as np
import pandas as pd
import pytest

from baseline.reporting.evidence import (
    Confusion,
    calibrate,
    confident_mistakes,
    count_words,
    guess_most_frequent,
    main_confusions,
    worst_word_clips,
)

LABELS = ["angry", "happy", "sad"]
MATRIX = [[6, 1, 1], [0, 2, 0], [3, 0, 2]]


def test_calibration():
    confidence = np.array([0.95, 0.95, 0.65, 0.65, 1.0])
    right = np.array([True, True, True, False, False])
    calibration = calibrate(confidence, right)
    assert calibration.count.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 0, 3]
    assert calibration.accuracy[6] == 0.5
    assert calibration.accuracy[9] == pytest.approx(2 / 3)
    assert calibration.confidence[9] == pytest.approx(2.9 / 3)
    # (2 * |0.5 - 0.65| + 3 * |2/3 - 2.9/3|) / 5
    assert calibration.error == pytest.approx((0.3 + 0.9) / 5)


def test_perfectly_calibrated():
    assert calibrate(np.array([1.0, 1.0]), np.array([True, True])).error == 0


def test_main_confusions():
    assert main_confusions(LABELS, MATRIX) == [
        Confusion("sad", "angry", 3, 5),
        Confusion("angry", "happy", 1, 8),
        Confusion("angry", "sad", 1, 8),
    ]


def test_guess_most_frequent():
    # 8 of 15 clips are angry: precision 8/15, recall 1, so F1 is 16/23, and that class has weight 8/15
    guess = guess_most_frequent(LABELS, MATRIX)
    assert guess.label == "angry"
    assert guess.accuracy == pytest.approx(8 / 15)
    assert guess.weighted_f1 == pytest.approx(8 / 15 * 16 / 23)


def test_guess_without_clips():
    assert guess_most_frequent([], []) is None
    assert guess_most_frequent(["a"], [[0]]) is None


def test_confident_mistakes():
    table = pd.DataFrame(
        {
            "name": ["right", "unsure", "sure"],
            "split": "test_multi",
            "true_emotion": ["happy", "sad", "sad"],
            "emotion": ["happy", "angry", "happy"],
            "confidence": [0.9, 0.5, 0.8],
            "p:angry": [0.05, 0.5, 0.1],
            "p:happy": [0.9, 0.2, 0.8],
            "p:sad": [0.05, 0.3, 0.1],
        }
    )
    mistakes = confident_mistakes(table, LABELS, limit=5)
    assert [mistake.name for mistake in mistakes] == ["sure", "unsure"]
    assert mistakes[0].probabilities == {"angry": 0.1, "happy": 0.8, "sad": 0.1}
    assert len(confident_mistakes(table, LABELS, limit=1)) == 1


def test_count_words():
    truth = {"a": ["happy", "joyful"], "b": ["sad"], "unpredicted": ["sad"]}
    prediction = {"a": ["happy", "happy"], "b": ["happy"]}
    assert count_words(truth, prediction, 2) == [("happy", 1, 2, 1), ("joyful", 1, 0, 0)]


def test_worst_word_clips():
    table = pd.DataFrame(
        {
            "name": ["half", "none", "same", "empty"],
            "split": "test_ov",
            "true_openset": [["happy", "calm"], ["sad", "worried"], ["angry"], []],
            "openset": [["happy"], ["happy"], ["angry"], []],
        }
    )
    clips = worst_word_clips(table, 3)
    assert [clip.name for clip in clips] == ["none", "half", "empty"]
    assert clips[0] == ("none", "test_ov", [], ["sad", "worried"], ["happy"], 0.0)
    assert clips[1].overlap == 0.5

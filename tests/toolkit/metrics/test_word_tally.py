"""Open-vocabulary scores as tallies."""

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import set_scores
from toolkit.metrics.wheel import LEVELS, wheel_scores, wheels_from_outline
from toolkit.metrics.word_tally import set_tally, wheel_tally

WHEELS = wheels_from_outline({"happy": {"cheerful": {"joyful": ["joy"]}, "excited": {}}, "sad": {"lonely": {}}})
TRUTH = {"a": ["joy", "lonely"], "b": ["excited"], "c": ["stone"], "d": ["sad"], "e": ["joyful", "sad"]}
GUESS = {"a": ["cheerful"], "b": ["lonely", "joyful"], "c": ["joy"], "d": ["sad"], "e": ["joy"]}
WEIGHTS = np.array([[1, 1, 1, 1, 1], [2, 0, 1, 0, 2], [0, 3, 0, 2, 0]], float)


def repeated(words, weights):
    return {f"{name}{i}": words[name] for name, count in zip("abcde", weights, strict=True) for i in range(int(count))}


def test_resamples_of_sets():
    tally = set_tally(TRUTH, GUESS)
    assert tally.score == pytest.approx(set_scores(TRUTH, GUESS).score)
    slow = [set_scores(repeated(TRUTH, row), repeated(GUESS, row)).score for row in WEIGHTS]
    assert tally.scores(WEIGHTS) == pytest.approx(slow)


def test_groups_pick_the_clips():
    groups = {"a": [["joy", "cheerful"], ["lonely"]], "d": [["sad"]]}
    tally = set_tally(TRUTH, GUESS, groups)
    assert len(tally.terms) == 2
    assert tally.score == pytest.approx(((1 + 1 / 2) / 2 + 1) / 2)


@pytest.mark.parametrize(("levels", "name"), [(["level1"], "level1"), (["level2"], "level2"), (LEVELS, "mean")])
def test_resamples_of_wheels(levels, name):
    tally = wheel_tally(TRUTH, GUESS, WHEELS, levels)
    assert tally.score == pytest.approx(getattr(wheel_scores(TRUTH, GUESS, WHEELS), name))
    slow = [getattr(wheel_scores(repeated(TRUTH, row), repeated(GUESS, row), WHEELS), name) for row in WEIGHTS]
    assert tally.scores(WEIGHTS) == pytest.approx(slow)


def test_clips_off_the_wheel_alone_have_no_score():
    assert np.isnan(wheel_tally(TRUTH, GUESS, WHEELS, ["level1"]).scores(np.array([[0.0, 0, 5, 0, 0]]))).all()


def test_missing_clip():
    with pytest.raises(UserError, match="1 clips have no prediction"):
        wheel_tally(TRUTH, {name: GUESS[name] for name in "abcd"}, WHEELS, LEVELS)

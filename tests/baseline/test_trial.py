"""Trials: what ranks them."""

import math

from baseline.trial import DIVERGED, Trial, key_of, ranked

GOOD = Trial(2, {"network.hidden": 8}, [[0.5, 0.7], [0.6, 1.0]])
EQUAL = Trial(3, {"network.hidden": 16}, [[0.7, 0.7], [0.7, 0.7]])
FAILED = Trial(1, {"network.hidden": 4}, note=DIVERGED)


def test_means():
    assert math.isclose(GOOD.merit, 0.7)
    assert [round(value, 9) for value in GOOD.by_seed] == [0.6, 0.8]
    assert [round(value, 9) for value in GOOD.by_fold] == [0.55, 0.85]
    assert FAILED.merit == -math.inf
    assert FAILED.by_fold == []


def test_order():
    better = Trial(4, {}, [[0.8]])
    assert ranked([FAILED, better, EQUAL, GOOD._replace(merits=EQUAL.merits)]) == [
        better, GOOD._replace(merits=EQUAL.merits), EQUAL, FAILED,
    ]  # fmt: skip


def test_key_tells_numbers_from_words():
    assert key_of({"a": 1}) != key_of({"a": "1"})
    assert Trial(9, {"network.hidden": 8}).key == GOOD.key


def test_record_comes_back():
    assert Trial(2, GOOD.settings).with_record(GOOD.record()) == GOOD

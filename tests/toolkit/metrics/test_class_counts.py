"""Scores of counts, several predictions at once."""

import numpy as np
import pytest

from toolkit.metrics.class_counts import (
    accuracy_of,
    class_f1_of,
    counts_of,
    macro_f1_of,
    unweighted_recall_of,
    weighted_f1_of,
)

TABLE = np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]])  # the third class is neither true nor predicted


def test_by_hand():
    counts = counts_of(TABLE)
    assert [part.tolist() for part in counts] == [[4, 4, 0], [5, 3, 0], [3, 2, 0]]
    assert class_f1_of(counts) == pytest.approx([6 / 9, 4 / 7, 0])
    assert weighted_f1_of(counts) == pytest.approx((6 / 9 + 4 / 7) / 2)
    assert macro_f1_of(counts) == pytest.approx((6 / 9 + 4 / 7) / 3)
    assert unweighted_recall_of(counts) == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert accuracy_of(counts) == 5 / 8


@pytest.mark.parametrize("score", [weighted_f1_of, macro_f1_of, unweighted_recall_of, accuracy_of, class_f1_of])
def test_stacked_counts_are_scored_one_by_one(score):
    tables = np.random.default_rng(0).integers(0, 5, (7, 3, 3))
    counts = [counts_of(table) for table in tables]
    together = score(type(counts[0])(*(np.stack(parts) for parts in zip(*counts, strict=True))))
    assert together.tolist() == [score(one).tolist() for one in counts]


def test_no_clips_is_no_score():
    empty = counts_of(np.zeros((2, 2)))
    assert np.isnan([weighted_f1_of(empty), unweighted_recall_of(empty), accuracy_of(empty)]).all()

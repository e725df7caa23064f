"""Pieces: batches of like length, chunks that cover each frame once."""

import pytest

from feature_extraction.piece import arrange, cut_chunks


@pytest.mark.parametrize("frames", [1, 9, 10, 11, 16, 17, 22, 23, 1000])
@pytest.mark.parametrize(("longest", "context"), [(10, 2), (10, 0), (11, 5)])
def test_each_frame_is_kept_once(frames, longest, context):
    chunks = list(cut_chunks(frames, longest=longest, context=context))
    assert [n for c in chunks for n in list(range(c.start, c.stop))[c.keep]] == list(range(frames))
    assert all(c.stop - c.start <= longest for c in chunks)
    for chunk in chunks:
        assert chunk.keep_start - chunk.start == min(context, chunk.keep_start)
        assert chunk.stop - chunk.keep_stop == min(context, frames - chunk.keep_stop)


def test_short_sequence_stays_whole():
    assert list(cut_chunks(10, longest=10, context=4)) == [(0, 10, 0, 10)]


def test_batches_of_like_length():
    assert arrange([5, 100, 6, 98, 5], capacity=200, slack=1.1) == [[1, 3], [2], [0, 4]]
    assert arrange([5, 100, 6, 98, 5], capacity=200, slack=1.2) == [[1, 3], [2, 0, 4]]


def test_capacity_counts_padding():
    assert arrange([10, 9, 9, 9], capacity=30, slack=2) == [[0, 1, 2], [3]]
    assert arrange([50, 9], capacity=30, slack=100) == [[0], [1]]  # a longer piece goes alone


def test_equal_lengths_only():
    assert arrange([4, 5, 4, 5, 3], capacity=100, slack=1.0) == [[1, 3], [0, 2], [4]]


def test_no_pieces():
    assert arrange([], capacity=10, slack=1.1) == []

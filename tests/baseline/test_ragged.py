"""Frames of many clips, each with as many as it has."""

import pytest
import torch

from baseline.ragged import Ragged


@pytest.fixture
def clips() -> Ragged:
    """Four clips of two, no, three and one frame; the numbers count up."""
    return Ragged.end_to_end(torch.arange(12.0).reshape(6, 2), torch.tensor([2, 0, 3, 1]))


def test_end_to_end(clips):
    assert (len(clips), clips.dim) == (4, 2)
    assert clips.starts.tolist() == [0, 2, 2, 5]
    assert torch.equal(clips.frames, clips.values)


@pytest.mark.parametrize(
    ("rows", "lengths", "frames"),
    [
        (torch.tensor([3, 0, 3]), [1, 2, 1], [10, 0, 2, 10]),
        (torch.tensor([False, False, True, True]), [3, 1], [4, 6, 8, 10]),
        (slice(1, 3), [0, 3], [4, 6, 8]),
        (torch.tensor([1]), [0], []),
    ],
    ids=["numbers", "booleans", "slice", "nothing"],
)
def test_some_clips(clips, rows, lengths, frames):
    some = clips[rows]
    assert some.lengths.tolist() == lengths
    assert some.frames[:, 0].tolist() == frames
    assert some.frames.shape == (len(frames), 2)
    assert some.values is clips.values, "no frame is copied"


def test_neighbours_are_not_copied(clips):
    assert clips[2:].frames.data_ptr() == clips.values[2:].data_ptr()


def test_taken_twice(clips):
    assert clips[torch.tensor([2, 0])][torch.tensor([1])].frames.tolist() == [[0, 1], [2, 3]]


def test_padded_at_the_end(clips):
    values, lengths = clips[torch.tensor([0, 1, 2])].padded()
    assert values.tolist() == [
        [[0, 1], [2, 3], [0, 0]],
        [[0, 0], [0, 0], [0, 0]],
        [[4, 5], [6, 7], [8, 9]],
    ]
    assert lengths.tolist() == [2, 0, 3]


@pytest.mark.parametrize("rows", [torch.tensor([1, 1]), torch.tensor([], dtype=torch.int64)])
def test_clips_without_frames_are_padded_to_one_step(clips, rows):
    values, lengths = clips[rows].padded()
    assert values.shape == (len(rows), 1, 2)
    assert not values.any()
    assert lengths.tolist() == [0] * len(rows)


def test_cat_holds_no_other_frames(clips):
    both = Ragged.cat([clips[torch.tensor([3, 1])], clips[:1]])
    assert both.values[:, 0].tolist() == [10, 0, 2]
    assert both.lengths.tolist() == [1, 0, 2]
    assert both[2:].frames[:, 0].tolist() == [0, 2]

import pytest
import torch

from toolkit.models.aligned import frame_counts, side_by_side, state_after
from toolkit.models.network import Sequences

PRESENT = {"audio": torch.tensor([True, False, False]), "text": torch.tensor([True, True, False])}


@pytest.fixture
def features() -> dict[str, Sequences]:
    audio = Sequences(torch.full((3, 2, 1), 5.0), torch.tensor([1, 9, 9]))
    return {"audio": audio, "text": Sequences(torch.full((3, 2, 2), 7.0), torch.tensor([1, 2, 9]))}


def test_a_clip_has_as_many_frames_as_the_modalities_that_it_has(features):
    assert frame_counts(features, PRESENT).tolist() == [1, 2, 0]
    assert frame_counts({"audio": features["audio"]}, PRESENT).tolist() == [1, 0, 0]


def test_side_by_side_is_zero_where_a_clip_lacks_a_modality(features):
    rows = side_by_side(features, PRESENT, {"audio": 1, "text": 2})
    assert rows[:, 1].tolist() == [[5, 7, 7], [0, 7, 7], [0, 0, 0]]
    rows = side_by_side({"text": features["text"]}, PRESENT, {"audio": 1, "text": 2})
    assert rows[:, 0].tolist() == [[0, 7, 7], [0, 7, 7], [0, 0, 0]]


def test_state_after_the_last_frame():
    states = torch.arange(12.0).reshape(4, 3, 1)
    assert state_after(states, torch.tensor([0, 3, 1])).flatten().tolist() == [0, 10, 5]


def test_vectors_are_no_sequences():
    with pytest.raises(ValueError, match=r"sequences of frames, got vectors of shape \(3, 4\)"):
        frame_counts({"audio": torch.zeros(3, 4)}, PRESENT)

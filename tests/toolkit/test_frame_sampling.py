"""Chosen frames against the reference's, for every clip length and step that it was asked for."""

import json

import numpy as np
import pytest

from toolkit.frame_sampling import pretraining_frames, training_frames, view_frames


@pytest.fixture(scope="module")
def theirs(parity) -> dict:
    return json.loads((parity / "ssl_aux.json").read_text())


def plain(choice) -> tuple[list[int], int, int]:
    return choice.frames.tolist(), choice.start, choice.end


def test_training(theirs):
    cases = theirs["frame_sampling"]["train"]
    assert len(cases) == 27
    for case in cases:
        random = np.random.RandomState(case["numpy_seed"])
        ours = training_frames(case["num_frames"], case["sampling_rate"], random)
        assert plain(ours) == (case["indices"], case["audio_start_frame"], case["audio_end_frame"]), case


def test_testing(theirs):
    cases = theirs["frame_sampling"]["test"]
    assert len(cases) == 27
    for case in cases:
        ours = [plain(choice) for choice in view_frames(case["num_frames"], case["sampling_rate"])]
        expected = [(v["frames"], v["audio_start_frame"], v["audio_end_frame"]) for v in case["views"]]
        assert ours == expected, case


def test_pretraining(theirs):
    cases = theirs["pretrain_frame_sampling"]["cases"]
    assert len(cases) == 8
    for case in cases:
        ours = pretraining_frames(case["num_frames"], 4, np.random.RandomState(case["numpy_seed"]))
        assert plain(ours) == (case["frame_ids"], case["start_frame"], case["end_frame"]), case


def test_places_are_spread_over_the_clip():
    random = np.random.RandomState(0)
    trained = {training_frames(70, 4, random).start for _ in range(200)}
    assert trained == set(range(6))  # the last frame of the clip is never seen, as with the authors
    pretrained = {pretraining_frames(70, 4, random).start for _ in range(200)}
    assert pretrained == set(range(7))


def test_views_between_the_first_and_the_last():
    assert [choice.start for choice in view_frames(40, 1, views=3)] == [0, 12, 24]
    assert [choice.start for choice in view_frames(40, 1, views=1)] == [0]

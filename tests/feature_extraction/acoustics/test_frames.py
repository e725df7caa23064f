"""Frames around the middle of every hop."""

import numpy as np

from feature_extraction.acoustics import frames as module
from feature_extraction.acoustics.frames import cut_blocks, cut_frames, frame_count, frame_times


def test_middles_do_not_depend_on_the_window():
    # At 1000 Hz a hop is 10 samples and frame 3 has its middle between samples 34 and 35.
    samples = np.arange(100.0)
    for seconds in (0.004, 0.01, 0.02):
        frames = cut_frames(samples, 1000, seconds)
        assert frames.shape == (10, round(seconds * 1000))
        assert frames[3].mean() == 34.5
    assert frame_times(10)[3] == 0.035


def test_zeros_beyond_the_ends():
    frames = cut_frames(np.ones(30), 1000, 0.02)
    assert frames[0].tolist() == [0] * 5 + [1] * 15
    assert frames[1].tolist() == [1] * 20
    assert frames[2].tolist() == [1] * 15 + [0] * 5


def test_a_part_of_a_hop_is_no_frame():
    assert frame_count(159, 16000) == 0
    assert frame_count(160, 16000) == 1
    assert frame_count(32159, 16000) == 200
    assert cut_frames(np.ones(19), 1000, 0.02).shape == (1, 20)


def test_no_samples():
    assert cut_frames(np.zeros(0, np.float32), 16000, 0.025).shape == (0, 400)
    assert frame_times(0).shape == (0,)


def test_blocks_hold_every_frame_once(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 8)
    for samples in (np.arange(199.0), np.arange(160.0), np.arange(5.0), np.zeros(0)):
        blocks = list(cut_blocks(samples, 1000))
        frames = np.concatenate([cut_frames(stretch, 1000, 0.1)[own] for stretch, own in blocks])
        np.testing.assert_array_equal(frames, cut_frames(samples, 1000, 0.1))
        assert max(len(stretch) for stretch, _ in blocks) <= 180

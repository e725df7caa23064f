"""Windows: every picture once, the reference's sampling, times that keep increasing."""

import numpy as np
import pytest

from feature_extraction.visual.windows import both_ends, consecutive, uniform


@pytest.mark.parametrize("tubelet", [1, 2, 4])
@pytest.mark.parametrize("count", [*range(1, 40), 160, 161])
def test_every_picture_is_in_one_kept_row(count, tubelet):
    times = np.cumsum(np.random.default_rng(count).uniform(0.01, 1, count))  # frames were dropped
    seen, middles = [], []
    for window in consecutive(times, length=16, tubelet=tubelet):
        rows = window.frames.reshape(-1, tubelet)
        assert len(rows) == 16 // tubelet
        assert len(window.times) == len(rows[window.keep])
        for row, time in zip(rows[window.keep], window.times, strict=True):
            pictures = np.unique(row)
            seen += pictures.tolist()
            middles.append(time)
            np.testing.assert_allclose(time, times[pictures].mean())
    assert seen == list(range(count))
    assert (np.diff(middles) > 0).all()


def test_windows_lie_side_by_side_and_the_last_is_moved_back():
    first, second = consecutive(np.arange(19.0), length=16, tubelet=2)
    assert first.frames.tolist() == list(range(16))
    assert first.keep == slice(0, 8)
    assert second.frames.tolist() == [*range(4, 19), 18]  # an even step back, the odd last picture twice
    assert second.keep == slice(6, 8)
    assert second.times.tolist() == [16.5, 18]


def test_a_clip_shorter_than_a_window_repeats_its_last_picture():
    (window,) = consecutive(np.array([0.0, 0.5, 2.0]), length=8, tubelet=2)
    assert window.frames.tolist() == [0, 1, 2, 2, 2, 2, 2, 2]
    assert window.keep == slice(0, 2)
    assert window.times.tolist() == [0.25, 2.0]


def test_uniform():
    (window,) = uniform(np.arange(40.0), length=16, tubelet=2)
    assert window.frames.tolist() == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37]
    assert window.keep == slice(0, 8)
    assert window.times.tolist() == [1, 6, 11, 16, 21, 26, 31, 36]


@pytest.mark.parametrize(
    ("count", "frames", "times"),
    [
        (1, [0, 0, 0, 0, 0, 0], [0, 1e-6, 2e-6]),
        (2, [0, 1, 1, 1, 1, 1], [0.5, 1 + 1e-6, 1 + 2e-6]),
        (3, [0, 1, 2, 2, 2, 2], [0.5, 2, 2 + 1e-6]),
        (6, [0, 1, 2, 3, 4, 5], [0.5, 2.5, 4.5]),
    ],
)
def test_uniform_of_short_clips_repeats_the_last_picture(count, frames, times):
    (window,) = uniform(np.arange(float(count)), length=6, tubelet=2)
    assert window.frames.tolist() == frames
    np.testing.assert_allclose(window.times, times, rtol=0, atol=1e-12)
    assert window.keep == slice(0, 3)


def test_both_ends():
    # Every fourth of 90 is 0, 4 ... 88, 23 of them: the first 16 end at 60, the last 16 begin at 28.
    first, last = both_ends(np.arange(90.0), length=16, tubelet=2, stride=4)
    assert first.frames.tolist() == list(range(0, 61, 4))
    assert last.frames.tolist() == list(range(28, 89, 4))
    assert [first.times.tolist(), last.times.tolist()] == [[30.0], [58.0]]
    assert first.keep == last.keep == slice(8, 9), "the mean, which follows the eight rows"


@pytest.mark.parametrize(("count", "frames"), [(1, [0] * 16), (9, [0, 4] + [8] * 14), (64, list(range(0, 61, 4)))])
def test_both_ends_of_short_clips_are_the_same(count, frames):
    (window,) = both_ends(np.arange(float(count)), length=16, tubelet=2, stride=4)
    assert window.frames.tolist() == frames
    np.testing.assert_allclose(window.times, [np.unique(frames).mean()])

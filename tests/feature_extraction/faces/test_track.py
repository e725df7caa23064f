import dataclasses

import numpy as np
import pytest

from feature_extraction.faces.align import align
from feature_extraction.faces.film import FilmFrame
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.store import decoded
from feature_extraction.faces.track import Tracker, match

SPEC = FaceSpec(crop_size=16)
SCENE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def follow(rows, spec=SPEC, cuts=()):
    """Runs a tracker over rows of faces, ten frames a second."""
    tracker = Tracker(spec)
    for number, faces in enumerate(rows):
        tracker.add(FilmFrame(SCENE, number / 10, is_cut=number in cuts), faces)
    return tracker.speaker()


def test_match_takes_the_closest_first(detection):
    old = [detection(0, 0, 10), detection(4, 0, 10)]
    new = [detection(5, 0, 10), detection(50, 0, 10)]
    assert match(old, new, 0.3) == [(1, 0)]
    assert match(old, [], 0.3) == []


def test_one_face(detection):
    track = follow([[detection(10 + n, 20, 30, 0.95)] for n in range(4)])
    assert track.times.tolist() == [0, 0.1, 0.2, 0.3]
    assert track.boxes.tolist() == [[10 + n, 20, 40 + n, 50] for n in range(4)]
    np.testing.assert_allclose(track.points[0, 2], [25, 38])
    assert track.probabilities.tolist() == pytest.approx([0.95] * 4)
    assert (track.boxes.dtype, track.points.dtype, track.probabilities.dtype) == (np.float32,) * 3


def test_crops_are_aligned(detection):
    smooth = np.add.outer(np.arange(120), np.arange(160))[..., None] * np.array([0.9, 0.5, 0.2])
    frame, face = FilmFrame(smooth.astype(np.uint8), 0.0), detection(10, 20, 30, 0.95)
    tracker = Tracker(SPEC)
    tracker.add(frame, [face])
    crops = decoded(tracker.speaker()).crops
    assert crops.shape == (1, 16, 16, 3)
    assert np.abs(crops[0].astype(int) - align(frame.image, face.points, 16)).max() <= 4


def test_no_face():
    assert follow([[], [], []]) is None
    assert follow([]) is None


def test_frames_without_the_face_are_absent(detection):
    face = [detection(10, 20, 30)]
    assert follow([face, face, [], face, face]).times.tolist() == [0, 0.1, 0.3, 0.4]


def test_joined_over_a_short_gap_only(detection):
    early, late = [detection(10, 20, 30)], [detection(12, 20, 30)]
    assert len(follow([early] * 4 + [[]] * 8 + [late] * 5).times) == 9
    assert follow([early] * 4 + [[]] * 11 + [late] * 5).times.tolist() == pytest.approx([1.5, 1.6, 1.7, 1.8, 1.9])


def test_elsewhere_is_somebody_else(detection):
    left, right = [detection(0, 0, 30)], [detection(100, 0, 30)]
    assert follow([left] * 3 + [right] * 5).boxes[:, 0].tolist() == [100] * 5


def test_speaker_is_large_and_long_in_view(detection):
    small, large = detection(0, 0, 20), detection(100, 0, 50)
    assert follow([[small, large]] * 4).boxes[0, 0] == 100
    assert follow([[small, large]] * 4 + [[small]] * 7).boxes[0, 0] == 0  # 11 x 20 > 4 x 50
    assert follow([[small, large]] * 4 + [[small]] * 5).boxes[0, 0] == 100  # 9 x 20 < 4 x 50


def test_speaker_left_early(detection):
    large, small = [detection(100, 0, 50)], [detection(0, 0, 20)]
    assert follow([large] * 10 + [[]] * 20 + [small] * 5).boxes[:, 0].tolist() == [100] * 10


def test_no_track_over_a_cut(detection):
    face = [detection(10, 20, 30)]
    track = follow([face] * 8, cuts=[3])
    assert track.times.tolist() == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7])


def test_brief_pattern_is_no_face(detection):
    face = [detection(10, 20, 30)]
    assert follow([[], face, face, [], []]) is None
    assert follow([[], face, face, face, []]) is not None


def test_doubtful_pattern_is_no_face(detection):
    assert follow([[detection(10, 20, 30, 0.85)]] * 9) is None
    assert follow([[detection(10, 20, 30, 0.85)]] * 9, spec=dataclasses.replace(SPEC, min_probability=0.8)) is not None


def test_clip_of_one_frame(detection):
    assert follow([[detection(10, 20, 30)]]).times.tolist() == [0]
    assert follow([[detection(10, 20, 30, 0.8)]]) is None


def test_memory_holds_one_ended_track(detection):
    tracker = Tracker(SPEC)
    for number in range(400):
        place = 40 * (number // 15 % 2)
        faces = [detection(place, 0, 20)] if number % 30 < 3 or number > 390 else []
        tracker.add(FilmFrame(SCENE, number / 10), faces)
        assert len(tracker._ended) <= 1
    assert tracker.speaker().times.tolist() == pytest.approx([39 + number / 10 for number in range(10)])

"""Gradients whose direction is known, and geometry computed by hand."""

import cv2
import numpy as np
import pytest

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.faces.track import FaceTrack
from feature_extraction.variant import vary
from feature_extraction.visual.face_hog import BROWS_AND_EYES, GEOMETRY, MOUTH, geometry
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

POINTS = np.array([[40, 50], [80, 50], [60, 75], [45, 95], [75, 95]], np.float32)
BOX = np.array([10, 10, 110, 130], np.float32)


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(get_spec("face-hog", "visual"), level="frame")


def track(crops: np.ndarray, points: np.ndarray | None = None) -> FaceTrack:
    count = len(crops)
    points = np.tile(POINTS, (count, 1, 1)) if points is None else points
    boxes = np.tile(BOX, (count, 1))
    return FaceTrack(crops, np.arange(count) / 10, boxes, points, np.ones(count, np.float32))


def ramp(angle: float, size: int = 112) -> np.ndarray:
    """A crop that brightens towards ``angle``, degrees clockwise from the right (y points down)."""
    y, x = np.mgrid[:size, :size] - size / 2
    grey = 127 + 0.7 * 112 / size * (x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle)))
    return np.repeat(grey.round().astype(np.uint8)[:, :, None], 3, axis=2)


def drawn_face(brow: float, mouth: float) -> np.ndarray:
    """A crop with brows lifted and mouth opened by so many pixels, its eyes and mouth where alignment puts them."""
    crop = np.full((112, 112, 3), (225, 190, 165), np.uint8)
    for x in (38, 74):
        cv2.ellipse(crop, (x, 52), (8, 4), 0, 0, 360, (60, 40, 30), -1, cv2.LINE_AA)
        cv2.line(crop, (x - 11, round(42 - brow)), (x + 11, round(42 - brow)), (50, 35, 25), 3, cv2.LINE_AA)
    cv2.ellipse(crop, (56, 92), (14, 3 + round(mouth)), 0, 0, 360, (120, 30, 40), -1, cv2.LINE_AA)
    return crop


def geometry_of(points: np.ndarray, times: np.ndarray | None = None) -> dict[str, np.ndarray]:
    times = np.arange(len(points)) / 10 if times is None else times
    return dict(zip(GEOMETRY, geometry(points, np.tile(BOX, (len(points), 1)), times).T, strict=True))


def test_shapes(encoder):
    (result,) = encoder.encode([track(np.stack([ramp(0), ramp(40)]))])
    assert BROWS_AND_EYES.dim + MOUTH.dim == 216 + 144 == 360
    assert result.values.shape == (2, 374)
    assert result.utterance.shape == (748,)
    assert result.values.dtype == result.utterance.dtype == np.float32


# A region is stretched when cut into cells, so that slanting edges turn; upright and level ones do not.
@pytest.mark.parametrize(("angle", "bins"), [(0, {0, 8}), (90, {4}), (180, {0, 8}), (270, {4})])
def test_direction_of_a_gradient(encoder, angle, bins):
    histograms = encoder.histograms(ramp(angle)).reshape(-1, 9)
    assert histograms.shape == (40, 9)
    inside = histograms.sum(axis=0)
    assert sum(inside[list(bins)]) > 0.95 * inside.sum()


def test_slanting_gradients_differ_from_their_mirror(encoder):
    one, other = (encoder.histograms(ramp(angle)).reshape(-1, 9).sum(axis=0) for angle in (45, 135))
    assert one.argmax() in (1, 2)  # 20 to 60 degrees
    assert other.argmax() in (6, 7)  # 120 to 160 degrees
    np.testing.assert_allclose(one, other[::-1], atol=0.5)


def test_blocks_are_normalised(encoder):
    blocks = encoder.histograms(drawn_face(0, 0)).reshape(10, 36)
    lengths = np.linalg.norm(blocks, axis=1)
    assert (lengths <= 1.001).all()
    assert lengths.max() > 0.9


def test_regions_see_what_they_are_named_after(encoder):
    still = encoder.histograms(drawn_face(0, 0))
    brows = np.abs(encoder.histograms(drawn_face(5, 0)) - still)
    mouth = np.abs(encoder.histograms(drawn_face(0, 8)) - still)
    assert brows[:216].sum() > 3
    assert brows[216:].sum() == 0
    assert mouth[:216].sum() == 0
    assert mouth[216:].sum() > 3


def test_brightness_does_not_matter_much(encoder):
    face = drawn_face(2, 4)
    darker = (face * 0.6).astype(np.uint8)
    np.testing.assert_allclose(encoder.histograms(darker), encoder.histograms(face), atol=0.06)


def test_flat_crop(encoder):
    (result,) = encoder.encode([track(np.full((1, 112, 112, 3), 128, np.uint8))])
    assert (result.values[:, :360] == 0).all()


@pytest.mark.parametrize("size", [56, 64, 224])
def test_other_crop_sizes(encoder, size):
    (result,) = encoder.encode([track(ramp(90, size)[None])])
    histograms = result.values[0, :360].reshape(-1, 9)
    assert histograms.sum(axis=0).argmax() == 4


def test_geometry_by_hand():
    values = geometry_of(POINTS[None])
    expected = {
        "roll": 0,
        "nose_x": 0,
        "nose_y": 25 / 40,
        "mouth_x": 0,
        "mouth_y": 45 / 40,
        "mouth_width": 30 / 40,
        "mouth_tilt": 0,
        "left_eye_to_corner": np.hypot(5, 45) / 40,
        "right_eye_to_corner": np.hypot(5, 45) / 40,
        "nose_to_mouth": 20 / 40,
        "eyes_to_box": 40 / 100,
        "box_shape": 100 / 120,
        "speed_x": 0,
        "speed_y": 0,
    }
    assert list(values) == list(expected)
    for name, value in expected.items():
        assert values[name][0] == pytest.approx(value, abs=1e-6), name


def test_rolled_head_changes_roll_alone():
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    rolled, upright = geometry_of((POINTS @ turn)[None]), geometry_of(POINTS[None])
    assert rolled["roll"][0] == pytest.approx(angle, abs=1e-6)
    for name in set(GEOMETRY) - {"roll"}:
        assert rolled[name][0] == pytest.approx(upright[name][0], abs=1e-5), name


def test_larger_face_elsewhere_is_the_same_face():
    moved = geometry_of(1.5 * POINTS[None] + 30)
    for name in ("nose_y", "mouth_width", "left_eye_to_corner"):
        assert moved[name][0] == pytest.approx(geometry_of(POINTS[None])[name][0], abs=1e-6), name


def test_turned_head_moves_the_nose():
    turned = POINTS.copy()
    turned[2, 0] += 10
    assert geometry_of(turned[None])["nose_x"][0] == pytest.approx(0.25)


def test_speed():
    # 8 pixels to the right and 4 down every 100 ms: 80 and 40 pixels per second, the eyes are 40 apart.
    points = POINTS + np.arange(5)[:, None, None] * np.array([8, 4])
    values = geometry_of(points)
    np.testing.assert_allclose(values["speed_x"], 2, rtol=1e-5)
    np.testing.assert_allclose(values["speed_y"], 1, rtol=1e-5)


def test_profile_with_eyes_in_one_place():
    points = POINTS.copy()
    points[1] = points[0]
    values = geometry(points[None], BOX[None], np.zeros(1))
    assert np.abs(values).max() < 10


def test_utterance_is_mean_and_deviation(encoder):
    (result,) = encoder.encode([track(np.stack([drawn_face(0, m) for m in (0, 4, 8)]))])
    np.testing.assert_allclose(result.utterance[:374], result.values.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(result.utterance[374:], result.values.std(axis=0), atol=1e-6)
    assert result.utterance[374 + 216 : 374 + 360].max() > 0.02  # the mouth moves
    assert result.utterance[374 : 374 + 216].max() == 0  # the brows do not


def test_one_frame(encoder):
    (result,) = encoder.encode([track(drawn_face(0, 0)[None])])
    assert (result.utterance[374:] == 0).all()


def test_no_face(encoder):
    empty = FaceTrack(
        np.zeros((0, 112, 112, 3), np.uint8),
        np.zeros(0),
        np.zeros((0, 4), np.float32),
        np.zeros((0, 5, 2), np.float32),
        np.zeros(0, np.float32),
    )
    (result,) = encoder.encode([empty])
    assert isinstance(result, ClipError)
    assert result.status == Status.NO_FACE


def test_whole_frames_have_no_landmarks():
    with pytest.raises(UserError, match="'face-hog@faces-frames' measures landmarks, which whole frames have not"):
        build_encoder(vary(get_spec("face-hog", "visual"), ["faces-frames"]))

"""Drawn faces: what moves, and whether a detector sees them."""

import numpy as np
import pytest

from toolkit.demo.expressions import PROTOTYPES, add, express, habit
from toolkit.demo.face import Talk, draw_face, draw_nobody
from toolkit.demo.features import Expression, draw_features
from toolkit.demo.head import BROW_Y, CENTRE, EYE_Y, MOUTH_Y, SIZE
from toolkit.demo.scene import HEIGHT, WIDTH
from toolkit.demo.speakers import SPEAKERS
from toolkit.labels import MER_EMOTIONS

SHUT = Talk(np.zeros(3), np.zeros(3))


def draw(face: Expression, talk: Talk = SHUT, speaker: int = 1) -> np.ndarray:
    look = SPEAKERS[speaker].look
    return np.stack(list(draw_face(look, face, Expression(), talk, np.random.default_rng(0))))


def test_frames_are_pictures_of_one_size():
    frames = draw(Expression())
    assert frames.shape == (3, HEIGHT, WIDTH, 3)
    assert frames.dtype == np.uint8


def test_the_same_twice():
    np.testing.assert_array_equal(draw(Expression()), draw(Expression()))


def changed_rows(look, one: Expression, other: Expression, blink: float = 0.0) -> tuple[int, int]:
    """Returns the first and last row of the head's canvas that two expressions draw differently."""
    heads = [np.full((SIZE, SIZE, 3), 180, np.uint8) for _ in range(2)]
    for head, face, shut in zip(heads, (one, other), (0.0, blink), strict=True):
        draw_features(head, look, face, blink=shut, round_=0.0, warm=np.zeros((SIZE, SIZE), np.uint8))
    rows = np.flatnonzero((heads[0] != heads[1]).any((1, 2)))
    return int(rows[0] - CENTRE[1]), int(rows[-1] - CENTRE[1])


def test_jaw_moves_the_mouth_only():
    top, bottom = changed_rows(SPEAKERS[1].look, Expression(), Expression(jaw=0.6))
    assert MOUTH_Y - 30 < top < MOUTH_Y < bottom < MOUTH_Y + 60


def test_blink_moves_the_eyes_only():
    top, bottom = changed_rows(SPEAKERS[1].look, Expression(), Expression(), blink=1.0)
    assert EYE_Y - 30 < top < EYE_Y < bottom < EYE_Y + 30


def test_brows_move_without_the_mouth():
    top, bottom = changed_rows(SPEAKERS[1].look, Expression(), Expression(inner_brow=0.8))
    assert BROW_Y - 60 < top < BROW_Y < bottom < EYE_Y


def test_talking_moves_the_picture():
    still, talking = draw(Expression()), draw(Expression(), Talk(np.ones(3), np.zeros(3)))
    assert np.abs(still.astype(int) - talking).mean() > 0.5


@pytest.mark.parametrize("emotion", sorted(set(MER_EMOTIONS) - {"neutral"}))
def test_every_emotion_shows_in_the_face(emotion):
    rest, shown = draw(PROTOTYPES["neutral"])[0].astype(int), draw(PROTOTYPES[emotion])[0].astype(int)
    face = np.abs(rest - shown)[60:190, 100:220]
    assert face.mean() > 2


def test_express_scales_the_prototype():
    half = express("happy", 0.5, np.random.default_rng(0), noise=0.0)
    assert half.smile == pytest.approx(0.5)
    assert half.jaw == pytest.approx(0.11)
    assert express("sad", 0.0, np.random.default_rng(0), noise=0.0) == Expression()


def test_faces_stay_within_what_a_face_can_do():
    both = add(PROTOTYPES["surprise"], PROTOTYPES["surprise"])
    assert (both.outer_brow, both.lids, both.jaw) == (1.3, 1.1, 0.9)


def test_habit_belongs_to_the_speaker():
    assert habit(3) == habit(3) != habit(4)


def test_mtcnn_finds_the_face_and_nobody_in_the_empty_room(tmp_path):
    from feature_extraction.faces.extractor import FaceExtractor
    from feature_extraction.faces.spec import FaceSpec
    from toolkit.errors import ClipError
    from toolkit.media import write_video

    extractor = FaceExtractor(FaceSpec())
    for speaker in (2, 9):
        write_video(tmp_path / "face.mp4", draw(PROTOTYPES["angry"], speaker=speaker), frame_rate=12)
        track = extractor.extract(tmp_path / "face.mp4")
        assert len(track.times) >= 2
        assert track.probabilities.min() > 0.8
    write_video(tmp_path / "nobody.mp4", draw_nobody(3, np.random.default_rng(0)), frame_rate=12)
    with pytest.raises(ClipError, match="no_face"):
        extractor.extract(tmp_path / "nobody.mp4")

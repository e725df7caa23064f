import numpy as np
import pytest

from feature_extraction.faces.extractor import FaceExtractor, open_clip
from feature_extraction.faces.spec import FaceSpec, get_face_spec
from feature_extraction.faces.store import decoded
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound, write_sound, write_video
from toolkit.status import Status


@pytest.fixture(scope="module")
def extractor():
    return FaceExtractor(FaceSpec())


@pytest.fixture(scope="module")
def photograph(astronaut):
    return np.ascontiguousarray(astronaut[:256, 100:420])


def status_of(extractor, path):
    with pytest.raises(ClipError) as caught:
        extractor.extract(path)
    return caught.value.status


def test_moving_face_then_none(extractor, photograph, tmp_path):
    path = tmp_path / "clip.mp4"
    frames = [np.roll(photograph, n, axis=1) for n in range(16)] + [np.zeros_like(photograph)] * 9
    write_video(path, frames, frame_rate=10)
    track = extractor.extract(path)
    np.testing.assert_allclose(track.times, np.arange(16) / 10, atol=1e-3)
    np.testing.assert_allclose(track.boxes[:, 0], 80 + np.arange(16), atol=6)
    assert track.probabilities.min() > 0.95
    steady = track.points - np.stack([np.arange(16), np.zeros(16)], axis=1)[:, None]
    assert np.linalg.norm(steady - steady.mean(axis=0), axis=2).max() < 3  # a fourteenth of the eyes' distance
    crops = decoded(track).crops
    assert crops.shape == (16, 112, 112, 3)
    mean = crops.mean(axis=0)
    assert mean[40:100, 35:75, 0].mean() > mean[40:100, 35:75, 2].mean() + 20  # skin: more red than blue


def test_same_from_a_clip_opened_ahead(extractor, photograph, tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, [np.roll(photograph, 2 * n, axis=1) for n in range(12)], frame_rate=10)
    film = open_clip(path, extractor.spec)
    path.unlink()  # it was short enough to be decoded whole
    write_video(path, [np.roll(photograph, 2 * n, axis=1) for n in range(12)], frame_rate=10)
    for one, other in zip(extractor.extract(film), extractor.extract(path), strict=True):
        np.testing.assert_array_equal(one, other)


def test_detectors_of_whole_clips_open_them_themselves(tmp_path):
    absent = tmp_path / "video" / "clip.mp4"
    assert open_clip(absent, get_face_spec("organisers")) == absent
    with pytest.raises(ClipError, match="missing"):
        open_clip(absent, FaceSpec())


def test_no_face(extractor, tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, [np.full((96, 128, 3), 90, np.uint8)] * 6, frame_rate=10)
    with pytest.raises(ClipError, match=r"clip\.mp4: no face in 6 frames") as caught:
        extractor.extract(path)
    assert caught.value.status is Status.NO_FACE


def test_missing_unreadable_and_no_video(extractor, tmp_path):
    assert status_of(extractor, tmp_path / "none.mp4") is Status.MISSING
    (tmp_path / "broken.mp4").write_bytes(b"no film at all")
    assert status_of(extractor, tmp_path / "broken.mp4") is Status.UNREADABLE
    write_sound(tmp_path / "sound.wav", Sound(np.zeros(1600, np.float32), 16000))
    assert status_of(extractor, tmp_path / "sound.wav") is Status.NO_VIDEO


def test_unknown_detector():
    with pytest.raises(UserError, match="Unknown face detector 'mtcm'"):
        FaceExtractor(FaceSpec(detector="mtcm"))


def test_cartoon_has_no_face(extractor, shared_data):
    assert status_of(extractor, shared_data / "talking_face_clips" / "pyfeat_no_face.mp4") is Status.NO_FACE


# The cuts were found by eye: the face is there until 2.37 s, and from 4.00 s on.
@pytest.mark.parametrize(
    ("name", "first", "last"), [("pyfeat_face_noface.mov", 0.0, 2.30), ("pyfeat_noface_face.mov", 4.01, 6.31)]
)
def test_frames_only_where_the_face_is(extractor, shared_data, name, first, last):
    track = extractor.extract(shared_data / "talking_face_clips" / name)
    assert len(track.times) == 24
    assert (track.times[0], track.times[-1]) == pytest.approx((first, last), abs=0.01)
    assert track.probabilities.min() > 0.95


def test_frontal_speaker(extractor, shared_data):
    track = extractor.extract(shared_data / "talking_face_clips" / "grid_bbaf2n.mpg")
    assert len(track.times) == 30  # 3 s at 10 frames a second
    assert np.ptp(track.boxes[:, 0]) < 20
    eyes, mouth = track.points[:, :2, 1].mean(), track.points[:, 3:, 1].mean()
    assert eyes < track.points[:, 2, 1].mean() < mouth


def test_singer_between_cuts(extractor, shared_data):
    track = extractor.extract(shared_data / "talking_face_clips" / "hamilton_short.mp4")
    assert (track.times[0], track.times[-1]) == pytest.approx((3.61, 7.78), abs=0.01)  # one shot, cuts by eye
    assert len(track.times) == pytest.approx(43, abs=1)

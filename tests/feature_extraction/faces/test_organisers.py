import numpy as np
import pytest

from feature_extraction.faces.extractor import FaceExtractor
from feature_extraction.faces.organisers import read_organisers
from feature_extraction.faces.reel import encode_crop
from feature_extraction.faces.spec import get_face_spec
from feature_extraction.faces.store import decode_crops, decoded
from toolkit.errors import ClipError
from toolkit.status import Status


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 112, 112, 3), dtype=np.uint8)


def save(folder, name, values):
    file = folder / "openface_face" / name / f"{name}.npy"
    file.parent.mkdir(parents=True)
    np.save(file, values)
    return file


def test_colours_and_times(tmp_path, pictures):
    track = read_organisers(save(tmp_path, "sample", pictures))
    np.testing.assert_array_equal(track.crops, pictures[..., ::-1])  # BGR in the file
    assert track.times.tolist() == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert np.isnan(track.boxes).all()
    assert (track.boxes.shape, track.points.shape, track.probabilities.shape) == ((5, 4), (5, 5, 2), (5,))


def test_frame_rate(tmp_path, pictures):
    assert read_organisers(save(tmp_path, "sample", pictures), frame_rate=50).times[-1] == pytest.approx(0.08)


def test_no_face(tmp_path):
    with pytest.raises(ClipError) as caught:
        read_organisers(save(tmp_path, "sample", np.array([])))
    assert caught.value.status is Status.NO_FACE


@pytest.mark.parametrize("values", [np.zeros((5, 112, 112), np.uint8), np.zeros((5, 9, 9, 3))])
def test_wrong_shape_or_type(tmp_path, values):
    with pytest.raises(ClipError, match="expected uint8 pictures") as caught:
        read_organisers(save(tmp_path, "sample", values))
    assert caught.value.status is Status.UNREADABLE


def test_damaged(tmp_path, pictures):
    file = save(tmp_path, "sample", pictures)
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ClipError) as caught:
        read_organisers(file)
    assert caught.value.status is Status.UNREADABLE


def test_found_beside_the_videos(tmp_path, pictures):
    save(tmp_path, "sample", pictures)
    extractor = FaceExtractor(get_face_spec("organisers"))
    track = extractor.extract(tmp_path / "video" / "sample.mp4")
    assert track.times.tolist() == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    kept = decode_crops([encode_crop(picture[..., ::-1], extractor.spec.quality) for picture in pictures])
    np.testing.assert_array_equal(decoded(track).crops, kept)
    with pytest.raises(ClipError) as caught:
        extractor.extract(tmp_path / "video" / "other.mp4")
    assert caught.value.status is Status.MISSING


def test_other_crop_size(tmp_path):
    save(tmp_path, "sample", np.zeros((2, 224, 224, 3), np.uint8))
    with pytest.raises(ClipError, match="crops of 224x224 pixels, expected 112x112"):
        FaceExtractor(get_face_spec("organisers")).extract(tmp_path / "video" / "sample.mp4")

import numpy as np
import pytest

from feature_extraction.faces.store import as_kept, decode_crops, encode_crops, read_track, to_record
from feature_extraction.faces.track import FaceTrack
from toolkit.cache import Cache, CacheWriter, Header, Record
from toolkit.errors import ClipError
from toolkit.status import Status


@pytest.fixture
def track():
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32] * 8
    crops = [np.stack([rows, columns, np.full_like(rows, 40 * number)], axis=2) for number in range(3)]
    return FaceTrack(
        crops=np.array(crops, dtype=np.uint8),
        times=np.array([0.0, 0.1, 0.5]),
        boxes=generator.uniform(0, 90, (3, 4)).astype(np.float32),
        points=generator.uniform(0, 90, (3, 5, 2)).astype(np.float32),
        probabilities=np.array([0.9, 0.8, 1.0], dtype=np.float32),
    )


@pytest.fixture
def cache(tmp_path, track):
    path = tmp_path / "mtcnn.h5"
    writer = CacheWriter(path, Header("clips", "{}", "0"))
    writer.append(Record("cartoon", Status.NO_FACE, "no face in 40 frames"))
    writer.append(to_record("one", track, 95))
    writer.append(to_record("two", track._replace(**{k: v[:1] for k, v in track._asdict().items()}), 95))
    writer.close()
    return Cache(path)


def test_crops_come_back_in_the_same_colours(track):
    back = decode_crops(encode_crops(track.crops, 95))
    assert back.shape == track.crops.shape
    assert np.abs(back.astype(int) - track.crops).max() <= 4


def test_quality_makes_larger_files(track):
    small, large = (sum(map(len, encode_crops(track.crops, quality))) for quality in (30, 95))
    assert small < large


def test_record_fields(track):
    ragged = to_record("one", track, 95).ragged
    assert ragged["frames/size"].sum() == len(ragged["jpeg/bytes"])
    assert {name: values.shape for name, values in ragged.items() if name != "jpeg/bytes"} == {
        "frames/time": (3,),
        "frames/box": (3, 4),
        "frames/points": (3, 5, 2),
        "frames/probability": (3,),
        "frames/size": (3,),
    }


def test_through_the_cache(cache, track):
    back, expected = read_track(cache, "one"), as_kept(track, 95)
    for name, values in expected._asdict().items():
        np.testing.assert_array_equal(getattr(back, name), values)
        assert getattr(back, name).dtype == values.dtype
    np.testing.assert_array_equal(read_track(cache, "two").crops, expected.crops[:1])


def test_no_face(cache):
    with pytest.raises(ClipError, match="no face in 40 frames") as caught:
        read_track(cache, "cartoon")
    assert caught.value.status is Status.NO_FACE

import mmap

import numpy as np
import pytest

from feature_extraction.faces.reel import Reel
from feature_extraction.faces.store import BLOCK, decode_crops, decoded, read_track, to_record
from toolkit import spool
from toolkit.cache import Cache, CacheWriter, Header, Record
from toolkit.errors import ClipError
from toolkit.status import Status


def make_track(count, size=(32, 32)):
    rows, columns = np.mgrid[: size[0], : size[1]] * 5
    reel = Reel(95)
    for number in range(count):
        crop = np.stack([rows, columns, np.full_like(rows, number % 250)], axis=2).astype(np.uint8)
        box = np.array([number, 2, number + 30, 32])
        reel.add(crop, number / 10, box, box[:2] + np.arange(10).reshape(5, 2), 0.9)
    return reel.track()


@pytest.fixture
def cache(tmp_path):
    path = tmp_path / "mtcnn.h5"
    with CacheWriter(path, Header("clips", "{}", "0")) as writer:
        writer.append(Record("cartoon", Status.NO_FACE, "no face in 40 frames"))
        writer.append(to_record("one", make_track(3)))
        writer.append(to_record("two", make_track(1)))
        writer.append(to_record("long", make_track(3 * BLOCK + 5)))
    return Cache(path)


def test_record_fields():
    track = make_track(3)
    ragged = to_record("one", track).ragged
    assert ragged["frames/size"].sum() == len(ragged["jpeg/bytes"])
    assert {name: values.shape for name, values in ragged.items() if name != "jpeg/bytes"} == {
        "frames/time": (3,),
        "frames/box": (3, 4),
        "frames/points": (3, 5, 2),
        "frames/probability": (3,),
        "frames/size": (3,),
    }


@pytest.mark.parametrize(("name", "count"), [("one", 3), ("two", 1), ("long", 3 * BLOCK + 5)])
def test_same_from_the_cache_and_without_it(cache, name, count):
    back, expected = read_track(cache, name), decoded(make_track(count))
    for field, values in expected._asdict().items():
        np.testing.assert_array_equal(getattr(back, field), values)
        assert getattr(back, field).dtype == values.dtype
    assert back.times.tolist() == pytest.approx([number / 10 for number in range(count)])
    np.testing.assert_allclose(back.crops[:, 16, 16], [[80, 80, number] for number in range(count)], atol=4)


def test_long_clip_is_mapped(cache, monkeypatch):
    in_memory = read_track(cache, "long").crops
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (10 * in_memory[0].nbytes,))
    assert not isinstance(read_track(cache, "one").crops, np.memmap)
    crops = read_track(cache, "long").crops
    assert isinstance(crops, np.memmap)
    assert isinstance(crops._mmap, mmap.mmap)
    assert not crops.flags.writeable
    np.testing.assert_array_equal(crops, in_memory)


def test_pictures_that_are_not_square():
    track = decoded(make_track(2, size=(20, 48)))
    assert track.crops.shape == (2, 20, 48, 3)
    np.testing.assert_allclose(track.crops[1, 10, 40], [50, 200, 1], atol=4)


def test_colours_and_order():
    track = make_track(2)
    files = [track.files[: track.sizes[0]], track.files[track.sizes[0] :]]
    np.testing.assert_array_equal(decode_crops(files), decoded(track).crops)
    np.testing.assert_array_equal(decode_crops(files[::-1]), decoded(track).crops[::-1])


def test_no_face(cache):
    with pytest.raises(ClipError, match="no face in 40 frames") as caught:
        read_track(cache, "cartoon")
    assert caught.value.status is Status.NO_FACE

"""Writing and merging caches."""

from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np
import pytest

from toolkit.cache import Cache, CacheWriter, Header, Record, verify
from toolkit.errors import UserError
from toolkit.status import Status


def test_layout_on_disk(cache_file: Path):
    with h5py.File(cache_file) as file:
        assert file["clips/name"].asstr()[:].tolist() == ["a", "b", "c", "d"]
        assert file["clips/status"].asstr()[:].tolist() == ["no_face", "ok", "unreadable", "ok"]
        assert file["frames/offset"][:].tolist() == [0, 0, 2, 2, 5]
        assert file["frames/values"].dtype == np.float32
        assert file["frames/values"][:, 0].tolist() == [0, 3, 100, 103, 106]
        assert file["frames/time"][:].tolist() == [0, 0.1, 0, 0.1, 0.2]
        assert file["utterance"].shape == (4, 3)
        assert file["utterance"][3].tolist() == [103, 104, 105]
        assert file.attrs["identity"] == "0123456789abcdef"


def test_failed_clip_is_never_a_silent_zero(cache_file: Path):
    with h5py.File(cache_file) as file:
        assert np.isnan(file["utterance"][[0, 2]]).all()


def test_every_clip_failed(tmp_path: Path, header: Header):
    path = tmp_path / "x.h5"
    with CacheWriter(path, header) as writer:
        writer.append(Record("a", Status.SILENT, "silent"))
    cache = Cache(path)
    assert cache.row("utterance", ["a"]).shape == (1, 0)
    assert cache.clip("a") == Record("a", Status.SILENT, "silent", {}, {})


def test_last_clips_failed(tmp_path: Path, header: Header, records: list[Record]):
    path = tmp_path / "x.h5"
    with CacheWriter(path, header) as writer:
        for record in reversed(records):
            writer.append(record)
    with h5py.File(path) as file:
        assert file["frames/offset"][:].tolist() == [0, 3, 3, 5, 5]
        assert file["utterance"].shape == (4, 3)
        assert np.isnan(file["utterance"][3]).all()


def test_error_leaves_the_older_file(cache_file: Path, header: Header):
    before = cache_file.read_bytes()

    def fail():
        with CacheWriter(cache_file, header) as writer:
            writer.append(Record("new", Status.SILENT, "silent"))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert cache_file.read_bytes() == before
    assert [path.name for path in cache_file.parent.iterdir()] == [cache_file.name]


def test_clips_of_different_dimensions(tmp_path: Path, header: Header):
    def write():
        with CacheWriter(tmp_path / "x.h5", header) as writer:
            writer.append(Record("a", row={"utterance": np.zeros(3, np.float32)}))
            writer.append(Record("b", row={"utterance": np.zeros(4, np.float32)}))

    with pytest.raises(UserError, match=r"'b' gave utterance of shape \(4,\) .*, the clips before it \(3,\)"):
        write()


def test_full_disk(cache_file: Path, header: Header, monkeypatch):
    """It must show before HDF5 writes, which would crash, and touch nothing."""
    before = cache_file.read_bytes()
    free = iter([1 << 30, 1 << 20])
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(next(free)))
    with pytest.raises(OSError, match="No space left"), CacheWriter(cache_file, header) as writer:
        writer.append(Record("new", Status.SILENT, "silent"))
    assert cache_file.read_bytes() == before
    assert [path.name for path in cache_file.parent.iterdir()] == [cache_file.name]


@pytest.mark.parametrize("buffer_bytes", [1, 1 << 20])
def test_room_is_asked_for_all_bytes_of_a_row(tmp_path: Path, header: Header, monkeypatch, buffer_bytes):
    monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", buffer_bytes)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage((32 << 20) + 199))
    with pytest.raises(OSError, match="No space left"), CacheWriter(tmp_path / "x.h5", header) as writer:
        writer.append(Record("a", row={"utterance": np.zeros(50, np.float32)}))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_pieces(monkeypatch):
    """Everything above a frame is large."""
    monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", 1)
    monkeypatch.setattr("toolkit.blocks.BLOCK_BYTES", 12)


@pytest.mark.usefixtures("small_pieces")
def test_many_pieces_equal_one(tmp_path: Path, header: Header, records: list[Record], assert_same):
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        for record in records:
            writer.append(record)
    cache = Cache(tmp_path / "x.h5")
    for record in records:
        assert_same(cache.clip(record.name), record)
    assert np.isnan(cache.row("utterance", ["a", "c"])).all()
    assert verify(tmp_path / "x.h5") == []


def test_what_fits_the_buffer_lies_end_to_end(cache_file: Path, tmp_path: Path, header: Header, monkeypatch):
    assert all(dataset.offset for dataset in Cache(cache_file).file.datasets.values())
    monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", 10)
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        writer.append(Record("a", row={"utterance": np.ones(3, np.float32)}))
        writer.append(Record("b", row={"utterance": np.ones(3, np.float32)}))
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["utterance"].chunks is not None


def test_clips_without_frames(tmp_path: Path, header: Header):
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        for name in "ab":
            writer.append(Record(name, ragged={"frames/values": np.zeros((0, 3), np.float32)}))
    assert Cache(tmp_path / "x.h5").clip("b").ragged["frames/values"].shape == (0, 3)
    assert verify(tmp_path / "x.h5") == []


def test_failed_clips_have_zeros_where_there_is_no_nan(tmp_path: Path, header: Header):
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        writer.append(Record("a", Status.SILENT, "silent"))
        writer.append(Record("b", row={"count": np.array([3, 4])}))
    assert Cache(tmp_path / "x.h5").row("count", ["a", "b"]).tolist() == [[0, 0], [3, 4]]


def test_fields_of_one_group_of_different_length(tmp_path: Path, header: Header):
    frames = {"frames/values": np.zeros((2, 3)), "frames/time": np.zeros(3)}
    writer = CacheWriter(tmp_path / "x.h5", header)
    with pytest.raises(ValueError, match="frames/time of 'a' has length 3, not 2"):
        writer.append(Record("a", ragged=frames))
    writer.abort()


def test_clip_that_lacks_a_field_of_its_group(tmp_path: Path, header: Header):
    def write():
        with CacheWriter(tmp_path / "x.h5", header) as writer:
            writer.append(Record("a", ragged={"frames/values": np.zeros((2, 3)), "frames/time": np.zeros(2)}))
            writer.append(Record("b", ragged={"frames/values": np.zeros((2, 3))}))

    with pytest.raises(ValueError, match="frames/time has 2 rows"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("first", "second"), [(np.float32, np.float64), (np.int64, np.float32), (np.uint8, np.int64)])
def test_numbers_are_never_rounded_to_another_clips_type(tmp_path: Path, header: Header, first, second):
    writer = CacheWriter(tmp_path / "x.h5", header)
    writer.append(Record("a", row={"utterance": np.zeros(3, first)}))
    with pytest.raises(UserError, match=f"'b' gave utterance of .*{second.__name__}, the clips .*{first.__name__}"):
        writer.append(Record("b", row={"utterance": np.zeros(3, second)}))
    writer.abort()


def test_half_precision(tmp_path: Path, header: Header):
    with CacheWriter(tmp_path / "x.h5", header, half=True) as writer:
        writer.append(Record("a", row={"utterance": np.array([0.1, 2.0], np.float32)}))
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["utterance"].dtype == np.float16
    assert Cache(tmp_path / "x.h5").row("utterance", ["a"])[0].tolist() == [np.float32(np.float16(0.1)), 2.0]


def test_half_precision_of_large_fields(tmp_path: Path, header: Header, small_pieces):
    values = np.arange(30, dtype=np.float32).reshape(10, 3) / 7
    with CacheWriter(tmp_path / "x.h5", header, half=True) as writer:
        writer.append(Record("a", ragged={"frames/values": values, "frames/time": np.arange(10) / 7}))
    clip = Cache(tmp_path / "x.h5").clip("a")
    np.testing.assert_array_equal(clip.ragged["frames/values"], values.astype(np.float16))
    np.testing.assert_array_equal(clip.ragged["frames/time"], np.arange(10) / 7)


@pytest.mark.parametrize("block_bytes", [8 << 20, 12])
def test_half_precision_overflow(tmp_path: Path, header: Header, monkeypatch, block_bytes):
    monkeypatch.setattr("toolkit.blocks.BLOCK_BYTES", block_bytes)
    writer = CacheWriter(tmp_path / "x.h5", header, half=True)
    with pytest.raises(UserError, match="'a' has values beyond 65504"):
        writer.append(Record("a", row={"utterance": np.array([1e5], np.float32)}))
    with pytest.raises(UserError, match="'b' has values beyond 65504"):
        writer.append(Record("b", ragged={"frames/values": np.array([[1, 2, 3], [4, 5, -7e4]], np.float32)}))
    writer.abort()

"""Writing and merging caches."""

import os
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np
import pytest

from toolkit.cache import Cache, CacheWriter, Header, Record, merge
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


def test_merge_of_more_parts_than_a_process_may_open(tmp_path: Path, header: Header):
    resource = pytest.importorskip("resource")
    parts = [tmp_path / f"{number:02d}.h5" for number in range(60)]
    for number, part in enumerate(parts):
        with CacheWriter(part, header) as writer:
            writer.append(Record(f"c{number}", row={"utterance": np.full(2, number, np.float32)}))
    names = [f"c{number}" for number in range(60)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 20, limits[1]))
    try:
        merge(tmp_path / "all.h5", header, parts, names)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert Cache(tmp_path / "all.h5").row("utterance", names)[:, 1].tolist() == list(range(60))


def test_many_flushes_equal_one(tmp_path: Path, header: Header, records: list[Record], assert_same, monkeypatch):
    monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", 1)
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        for record in records:
            writer.append(record)
    cache = Cache(tmp_path / "x.h5")
    for record in records:
        assert_same(cache.clip(record.name), record)


def test_half_precision(tmp_path: Path, header: Header):
    with CacheWriter(tmp_path / "x.h5", header, half=True) as writer:
        writer.append(Record("a", row={"utterance": np.array([0.1, 2.0], np.float32)}))
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["utterance"].dtype == np.float16
    assert Cache(tmp_path / "x.h5").row("utterance", ["a"])[0].tolist() == [np.float32(np.float16(0.1)), 2.0]


def test_half_precision_overflow(tmp_path: Path, header: Header):
    writer = CacheWriter(tmp_path / "x.h5", header, half=True)
    with pytest.raises(UserError, match="'a' has values beyond 65504"):
        writer.append(Record("a", row={"utterance": np.array([1e5], np.float32)}))
    writer.abort()


def test_merge_reorders_and_takes_the_first_part(tmp_path: Path, header: Header, cache_file: Path):
    other = tmp_path / "other.h5"
    with CacheWriter(other, header) as writer:
        writer.append(Record("b", Status.SILENT, "must lose against the first part"))
        writer.append(
            Record(
                "e",
                row={"utterance": np.ones(3, np.float32)},
                ragged={"frames/values": np.ones((1, 3), np.float32), "frames/time": np.zeros(1)},
            )
        )
    merge(cache_file, header, [cache_file, other], ["e", "d", "b", "a"])
    cache = Cache(cache_file)
    assert cache.names == ["e", "d", "b", "a"]
    assert cache.row("utterance", ["e", "d", "b"]).tolist() == [[1, 1, 1], [103, 104, 105], [1.5, 2.5, 3.5]]
    assert cache.clip("a").reason == "no face in 20 frames"

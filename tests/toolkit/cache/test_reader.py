"""Reading caches."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from toolkit.cache import Cache, CacheWriter, Header, Record, merge
from toolkit.cache.file import CacheFile
from toolkit.errors import UserError
from toolkit.status import Status


@pytest.fixture(params=["as written", "merged", "chunked", "compressed", "other byte order", "no preadv"])
def stored(request, cache_file: Path, header: Header, rewrite, monkeypatch) -> Path:
    """The four clips in files of every kind."""
    if request.param == "merged":
        merge(cache_file, header, [cache_file], ["a", "b", "c", "d"])
    elif request.param == "chunked":  # format 1 before datasets lay end to end
        rewrite(cache_file, chunks=True)
    elif request.param == "compressed":
        rewrite(cache_file, chunks=True, compression="gzip")
    elif request.param == "other byte order":
        rewrite(cache_file, order="S", strings=30)
    elif request.param == "no preadv":
        monkeypatch.delattr(os, "preadv", raising=False)
    return cache_file


def test_rows_in_the_order_asked_for(stored: Path):
    rows = Cache(stored).row("utterance", ["d", "a", "b"])
    assert rows.dtype == np.float32
    assert rows[[0, 2]].tolist() == [[103, 104, 105], [1.5, 2.5, 3.5]]
    assert np.isnan(rows[1]).all()


def test_clip_gives_back_what_was_written(stored: Path, records: list[Record], assert_same):
    cache = Cache(stored)
    for record in records:
        assert_same(cache.clip(record.name), record)


def test_missing_clip_is_named(cache_file: Path):
    with pytest.raises(UserError, match=r"no clip 'x' \(1 of 2 present\)"):
        Cache(cache_file).row("utterance", ["a", "x"])


def test_identity_mismatch_names_both(cache_file: Path):
    cache = Cache(cache_file)
    cache.expect("0123456789abcdef")
    with pytest.raises(UserError, match=r"0123456789abcdef, expected fedcba9876543210.*--overwrite"):
        cache.expect("fedcba9876543210")


def test_no_such_file(tmp_path: Path):
    with pytest.raises(UserError, match="No cache at"):
        Cache(tmp_path / "x.h5")


def test_not_a_cache(tmp_path: Path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"these are not the bytes of an HDF5 file")
    with pytest.raises(UserError, match="not a readable cache"):
        Cache(path)


def test_survives_pickling(cache_file: Path):
    cache = Cache(cache_file)
    cache.clip("b")
    assert pickle.loads(pickle.dumps(cache)).row("utterance", ["b"])[0].tolist() == [1.5, 2.5, 3.5]


def test_neighbouring_rows(stored: Path):
    cache = Cache(stored)
    assert cache.row("utterance", ["b"]).tolist() == [[1.5, 2.5, 3.5]]
    np.testing.assert_array_equal(
        cache.row("utterance", cache.names), cache.row("utterance", list("cabd"))[[1, 2, 0, 3]]
    )
    assert cache.row("utterance", []).shape == (0, 3)


def test_frames_of_one_clip(stored: Path):
    cache = Cache(stored)
    assert cache.ragged("frames/values", "d").tolist() == [[100, 101, 102], [103, 104, 105], [106, 107, 108]]
    assert cache.ragged("frames/time", "b").tolist() == [0, 0.1]
    assert cache.ragged("frames/values", "a").shape == (0, 3)


def test_frames_end_to_end(stored: Path):
    cache = Cache(stored)
    values, lengths = cache.joined("frames/values", ["d", "c", "b", "d"])
    assert values[:, 0].tolist() == [100, 103, 106, 0, 3, 100, 103, 106]
    assert lengths.tolist() == [3, 0, 2, 3]
    assert cache.joined("frames/time", cache.names)[0].tolist() == [0, 0.1, 0, 0.1, 0.2]
    assert cache.joined("frames/values", [])[0].shape == (0, 3)
    assert cache.lengths("frames/values", ["d", "c", "b", "d"]).tolist() == lengths.tolist()


@pytest.mark.parametrize("share", [1, 5, 24])
def test_frames_read_by_several_cores(cache_file: Path, monkeypatch, share):
    monkeypatch.setattr("toolkit.cache.dataset._SHARE_BYTES", share)
    values, _ = Cache(cache_file).joined("frames/values", ["d", "b"])
    assert values.ravel().tolist() == [*range(100, 109), *range(6)]


def test_what_is_handed_out_is_the_callers(stored: Path):
    cache = Cache(stored)
    for read in (
        lambda: cache.ragged("frames/values", "d"),
        lambda: cache.joined("frames/values", ["b", "d"])[0],
        lambda: cache.row("utterance", ["b"]),
        lambda: cache.row("utterance", ["d", "b"]),
        lambda: cache.clip("b").row["utterance"],
    ):
        before = read().copy()
        read()[:] = -1
        np.testing.assert_array_equal(read(), before)


def test_large_fields_are_mapped_and_read_only(cache_file: Path, monkeypatch):
    monkeypatch.setattr("toolkit.cache.file._MAPPED_BYTES", 24)
    frames = Cache(cache_file).ragged("frames/values", "d")
    assert frames[:, 0].tolist() == [100, 103, 106]
    with pytest.raises(ValueError, match="read-only"):
        frames[0] = 1
    assert Cache(cache_file).ragged("frames/values", "b").flags.writeable, "24 bytes are not large"


def test_hdf5_is_not_asked_for_rows(cache_file: Path, monkeypatch):
    cache = Cache(cache_file)
    before = cache.clip("d")
    monkeypatch.setattr(CacheFile, "hdf5", property(lambda _: pytest.fail("asked HDF5")))
    assert cache.ragged("frames/values", "b").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert cache.clip("d").ragged["frames/time"].tolist() == before.ragged["frames/time"].tolist()
    assert len(cache.joined("frames/values", cache.names)[0]) == 5
    assert cache.row("utterance", cache.names)[3].tolist() == [103, 104, 105]


def test_half_precision_rows_are_float32(tmp_path: Path, header: Header):
    with CacheWriter(tmp_path / "x.h5", header, half=True) as writer:
        for name in "ab":
            writer.append(Record(name, row={"utterance": np.array([0.1, 2.0], np.float32)}))
    for names in (["a"], ["b", "a"]):
        rows = Cache(tmp_path / "x.h5").row("utterance", names)
        assert rows.dtype == np.float32
        assert rows[0].tolist() == [np.float32(np.float16(0.1)), 2.0]


def test_field_that_is_not_there(cache_file: Path, tmp_path: Path, header: Header):
    with pytest.raises(UserError, match=r"no frames/box, it holds frames/time, frames/values, utterance\..*--level"):
        Cache(cache_file).ragged("frames/box", "b")
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        writer.append(Record("a", Status.SILENT, "silent"))
    with pytest.raises(UserError, match="it holds nothing but failed clips"):
        Cache(tmp_path / "x.h5").joined("frames/values", ["a"])


def test_names_and_reasons_of_every_kind(tmp_path: Path, header: Header):
    reasons = {"Gespräch_日本": "", "b": "nul \0 in it", "c": "odd \udcff byte", "d": "ä" * 500, "e" * 300: "x"}
    with CacheWriter(tmp_path / "x.h5", header) as writer:
        for name, reason in reasons.items():
            writer.append(Record(name, Status.ERROR, reason))
    cache = Cache(tmp_path / "x.h5")
    assert cache.names == list(reasons)
    assert cache.reason == ["", "nul   in it", "odd \\udcff byte", "ä" * 500, "x"]
    assert cache.file.datasets["clips/status"].dtype == "S5"

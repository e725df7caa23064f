"""Reading caches."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from toolkit.cache import Cache, Record, cache_path, find_cache
from toolkit.errors import UserError


def test_rows_in_the_order_asked_for(cache_file: Path):
    rows = Cache(cache_file).row("utterance", ["d", "a", "b"])
    assert rows.dtype == np.float32
    assert rows[[0, 2]].tolist() == [[103, 104, 105], [1.5, 2.5, 3.5]]
    assert np.isnan(rows[1]).all()


def test_clip_gives_back_what_was_written(cache_file: Path, records: list[Record], assert_same):
    cache = Cache(cache_file)
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


def test_find_cache_prefers_the_utterance_level(tmp_path: Path, cache_file: Path):
    assert find_cache(tmp_path, "demo", "ramp") == cache_file
    frames = cache_path(tmp_path, "demo", "visual", "ramp", "frame")
    assert frames.name == "ramp.frames.h5"
    cache_file.rename(frames)
    assert find_cache(tmp_path, "demo", "ramp") == frames


def test_find_cache_of_nothing(tmp_path: Path, cache_file: Path):
    with pytest.raises(UserError, match=r"No cache of 'rump' for corpus 'demo'.* there is: ramp"):
        find_cache(tmp_path, "demo", "rump")

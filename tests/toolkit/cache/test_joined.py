"""Caches of two corpora read as one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from toolkit.cache import CacheWriter, Record, cache_path
from toolkit.cache.joined import find_joined
from toolkit.errors import UserError
from toolkit.status import Status

CLIPS = pd.DataFrame(
    {
        "name": ["one_a", "two_a", "one_b", "two_c", "two_gone"],
        "corpus": ["one", "two", "one", "two", "two"],
        "source_name": ["a", "a", "b", "c", "gone"],
    }
)


def clip(name, start, length):
    frames = np.arange(start, start + 2 * length, dtype=np.float32).reshape(length, 2)
    return Record(name, row={"utterance": frames[0]}, ragged={"frames/values": frames})


@pytest.fixture
def write(tmp_path, header):
    def write(corpus, *records, **changes):
        with CacheWriter(
            cache_path(tmp_path, corpus, "audio", "ramp"), replace(header, corpus=corpus, **changes)
        ) as writer:
            for record in records:
                writer.append(record)

    return write


@pytest.fixture
def cache(tmp_path, write):
    write("one", clip("b", 10, 1), clip("stranger", 0, 1), clip("a", 20, 2))
    write("two", clip("a", 30, 3), Record("c", Status.SILENT, "digital silence"))
    return find_joined(tmp_path, CLIPS, "ramp")


def test_clips(cache):
    assert cache.names == ["one_a", "two_a", "one_b", "two_c"]
    assert cache.index == {"one_a": 0, "two_a": 1, "one_b": 2, "two_c": 3}
    assert cache.status == ["ok", "ok", "ok", "silent"]
    assert cache.reason == ["", "", "", "digital silence"]
    assert "one_a" in cache
    assert "a" not in cache
    assert "two_gone" not in cache
    assert cache.corpus == "one+two"


def test_rows(cache):
    rows = cache.row("utterance", ["two_c", "one_b", "two_a", "one_a"])
    np.testing.assert_array_equal(rows, [[np.nan, np.nan], [10, 11], [30, 31], [20, 21]])
    assert rows.dtype == np.float32


def test_frames(cache):
    values, lengths = cache.joined("frames/values", ["two_a", "one_b"])
    np.testing.assert_array_equal(values, [[30, 31], [32, 33], [34, 35], [10, 11]])
    assert lengths.tolist() == [3, 1]
    np.testing.assert_array_equal(cache.ragged("frames/values", "one_a"), [[20, 21], [22, 23]])
    assert cache.lengths("frames/values", ["two_c", "two_a", "one_b", "one_a"]).tolist() == [0, 3, 1, 2]


def test_a_corpus_of_which_every_clip_failed(tmp_path, write):
    write("one", clip("b", 10, 1))
    write("two", Record("c", Status.SILENT))
    rows = find_joined(tmp_path, CLIPS, "ramp").row("utterance", ["one_b", "two_c"])
    np.testing.assert_array_equal(rows, [[10, 11], [np.nan, np.nan]])
    lengths = find_joined(tmp_path, CLIPS, "ramp").lengths("frames/values", ["one_b", "two_c"])
    assert lengths.tolist() == [1, 0]


def test_absent_clip(cache):
    with pytest.raises(UserError, match=r"The caches of one\+two have no clip 'two_gone'"):
        cache.row("utterance", ["one_a", "two_gone"])


def test_unlike_caches(tmp_path, write):
    write("one", clip("a", 0, 1))
    write("two", clip("a", 0, 1), identity="another")
    with pytest.raises(UserError, match="identity another, expected 0123456789abcdef"):
        find_joined(tmp_path, CLIPS, "ramp")


def test_a_corpus_without_a_cache(tmp_path, write):
    write("one", clip("a", 0, 1))
    with pytest.raises(UserError, match="No cache of 'ramp' for corpus 'two'"):
        find_joined(tmp_path, CLIPS, "ramp")

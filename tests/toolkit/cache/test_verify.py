"""Checking caches."""

from pathlib import Path

import h5py
import numpy as np

from toolkit.cache import describe, verify


def test_sound_cache(cache_file: Path):
    assert verify(cache_file) == []


def test_not_finite(cache_file: Path):
    with h5py.File(cache_file, "a") as file:
        file["utterance"][1, 0] = np.nan
        file["frames/values"][4] = np.inf
    assert verify(cache_file) == ["frames/values has values that are not finite", "utterance of 'b' is not finite"]


def test_broken_offsets(cache_file: Path):
    with h5py.File(cache_file, "a") as file:
        file["frames/offset"][2] = 9
    assert "offsets of frames/values do not fit its 5 rows and 4 clips" in verify(cache_file)


def test_doubled_name_and_unknown_status(cache_file: Path):
    with h5py.File(cache_file, "a") as file:
        file["clips/name"][0] = "b"
        file["clips/status"][0] = "lost"
    assert verify(cache_file)[:2] == ["clip 'b' stands 2 times", "unknown status 'lost'"]


def test_describe(cache_file: Path):
    text = "\n".join(describe(cache_file))
    assert "4: 2 ok, 1 no_face, 1 unreadable" in text
    assert "frames/values    5 x 3" in text

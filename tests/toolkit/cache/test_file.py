"""Cache files that are open in several places, or change under way."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from toolkit.cache import Cache, Header, merge
from toolkit.errors import UserError


def frames_of(cache: Cache, name: str) -> list[float]:
    return cache.ragged("frames/values", name)[:, 0].tolist()


@pytest.mark.parametrize("options", [{}, {"chunks": True}], ids=["end to end", "chunked"])
def test_other_processes_may_read_an_open_cache(cache_file: Path, rewrite, options):
    rewrite(cache_file, **options)
    cache = Cache(cache_file)
    frames_of(cache, "b")
    # A method of the library: what a test file defines, a new interpreter cannot import.
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(partial(cache.ragged, "frames/values"), ["d", "b"] * 4)
    assert [values[:, 0].tolist() for values in results] == [[100, 103, 106], [0, 3]] * 4
    assert frames_of(cache, "d") == [100, 103, 106]


# In an interpreter of its own: a fork of this one, where other tests left threads, may hang.
FORK = """
import multiprocessing, sys
from pathlib import Path
from toolkit.cache import Cache
cache = Cache(Path(sys.argv[1]))
def frames_of(name):
    return cache.ragged("frames/values", name)[:, 0].tolist()
assert frames_of("b") == [0, 3]
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(frames_of, ["d", "b"] * 4) == [[100, 103, 106], [0, 3]] * 4
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("options", [{}, {"chunks": True}], ids=["end to end", "chunked"])
def test_forks_may_read_an_open_cache(cache_file: Path, rewrite, options):
    rewrite(cache_file, **options)
    subprocess.run([sys.executable, "-c", FORK, str(cache_file)], check=True, timeout=60)


def test_threads(cache_file: Path):
    cache = Cache(cache_file)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(partial(frames_of, cache), ["d", "b", "a"] * 100))
    assert results == [[100, 103, 106], [0, 3], []] * 100


def test_file_replaced_between_two_openings(cache_file: Path, header: Header):
    cache = Cache(cache_file)
    assert frames_of(cache, "b") == [0, 3]
    merge(cache_file, header, [cache_file], ["d", "b"])
    assert frames_of(cache, "b") == [0, 3], "the old file is open still"
    cache.close()
    with pytest.raises(UserError, match="was written anew while it was being read"):
        frames_of(cache, "b")


def test_file_cut_off_while_it_is_open(cache_file: Path):
    cache = Cache(cache_file)
    cache.clip("d")
    os.truncate(cache_file, cache.file.datasets["frames/values"].offset + 8)
    with pytest.raises(UserError, match=r"ramp\.h5 was cut off .* \(the file ends at byte \d+\)"):
        frames_of(cache, "d")

"""Cache files that are open in several places, or change under way."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from toolkit.cache import Cache, Header, merge
from toolkit.errors import UserError


def frames_of(cache: Cache, name: str) -> list[float]:
    return cache.ragged("frames/values", name)[:, 0].tolist()


@pytest.mark.parametrize("method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()])
@pytest.mark.parametrize("options", [{}, {"chunks": True}], ids=["end to end", "chunked"])
def test_other_processes_may_read_an_open_cache(cache_file: Path, rewrite, method: str, options):
    rewrite(cache_file, **options)
    cache = Cache(cache_file)
    frames_of(cache, "b")
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = pool.map(partial(frames_of, cache), ["d", "b"] * 4)
    assert results == [[100, 103, 106], [0, 3]] * 4
    assert frames_of(cache, "d") == [100, 103, 106]


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

"""Where caches stand."""

from pathlib import Path

import pytest

from toolkit.cache import cache_path, find_cache
from toolkit.errors import UserError


def test_find_cache_prefers_the_utterance_level(tmp_path: Path, cache_file: Path):
    assert find_cache(tmp_path, "demo", "ramp") == cache_file
    frames = cache_path(tmp_path, "demo", "visual", "ramp", "frame")
    assert frames.name == "ramp.frames.h5"
    cache_file.rename(frames)
    assert find_cache(tmp_path, "demo", "ramp") == frames


def test_find_cache_of_nothing(tmp_path: Path, cache_file: Path):
    with pytest.raises(UserError, match=r"No cache of 'rump' for corpus 'demo'.* there is: ramp"):
        find_cache(tmp_path, "demo", "rump")


def test_find_cache_of_frames_only(tmp_path: Path, cache_file: Path):
    with pytest.raises(
        UserError, match=r"No cache of frames of 'ramp' .* there is: none.*--encoder ramp --level frame"
    ):
        find_cache(tmp_path, "demo", "ramp", "frame")
    frames = cache_path(tmp_path, "demo", "visual", "ramp", "frame")
    frames.write_bytes(cache_file.read_bytes())
    assert find_cache(tmp_path, "demo", "ramp", "frame") == frames
    assert find_cache(tmp_path, "demo", "ramp") == cache_file


@pytest.mark.parametrize("name", ["bge-base-zh-v1.5", "mae-dfer--runs-[second]-best"])
def test_find_cache_of_any_name(tmp_path: Path, cache_file: Path, name: str):
    """Encoders of folders and files are called like these."""
    own = cache_path(tmp_path, "demo", "visual", name, "frame")
    cache_file.rename(own)
    assert find_cache(tmp_path, "demo", name) == own
    with pytest.raises(UserError) as error:
        find_cache(tmp_path, "demo", "ramp")
    assert f"there is: {name}. " in str(error.value)

"""Merging caches."""

import os
from collections import namedtuple
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

from toolkit.cache import Cache, CacheWriter, Header, Record, merge, verify
from toolkit.errors import UserError
from toolkit.status import Status


def write(path: Path, header: Header, records: list[Record]) -> Path:
    with CacheWriter(path, header) as writer:
        for record in records:
            writer.append(record)
    return path


def random_clips(generator: np.random.Generator, count: int) -> list[Record]:
    """Clips with two groups of frames, one in five failed."""
    clips = []
    for number in range(count):
        if generator.random() < 0.2:
            clips.append(Record(f"c{number}", Status.NO_FACE, f"reason {number}"))
            continue
        length, size = generator.integers(0, 7, 2)
        ragged = {
            "frames/values": generator.random((length, 3), np.float32),
            "frames/span": generator.integers(0, 9, (length, 2)),
            "jpeg/bytes": generator.integers(0, 256, size).astype(np.uint8),
        }
        clips.append(Record(f"c{number}", row={"utterance": generator.random(4, np.float32)}, ragged=ragged))
    return clips


@pytest.mark.parametrize("pieces", ["large", "small"])
@pytest.mark.parametrize("seed", range(5))
def test_any_clips_in_any_parts_and_order(tmp_path: Path, header: Header, assert_same, monkeypatch, seed, pieces):
    if pieces == "small":
        monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", 100)
        monkeypatch.setattr("toolkit.blocks.BLOCK_BYTES", 40)
    generator = np.random.default_rng(seed)
    clips = random_clips(generator, 40)
    bounds = [0, *sorted(generator.integers(0, 41, 5).tolist()), 40]
    parts = [
        write(tmp_path / f"{number}.h5", header, clips[start:stop])
        for number, (start, stop) in enumerate(pairwise(bounds))
        if stop > start
    ]
    order = generator.permutation(40) if seed % 2 else np.roll(np.arange(40), seed)
    names = [clips[number].name for number in order]
    merge(tmp_path / "all.h5", header, parts, names)
    cache = Cache(tmp_path / "all.h5")
    assert cache.names == names
    for clip in clips:
        assert_same(cache.clip(clip.name), clip)
    failed = [clip.name for clip in clips if clip.status is not Status.OK]
    assert np.isnan(cache.row("utterance", failed)).all()
    assert verify(tmp_path / "all.h5") == []


def test_every_field_lies_end_to_end(tmp_path: Path, header: Header, monkeypatch):
    monkeypatch.setattr("toolkit.cache.writer._BUFFER_BYTES", 100)
    part = write(tmp_path / "part.h5", header, random_clips(np.random.default_rng(0), 40))
    with h5py.File(part) as file:
        assert file["frames/values"].chunks is not None
    merge(tmp_path / "all.h5", header, [part], Cache(part).names)
    with h5py.File(tmp_path / "all.h5") as file:
        for field in ("frames/values", "frames/span", "frames/offset", "jpeg/bytes", "utterance", "clips/name"):
            assert file[field].chunks is None
            assert file[field].compression is None
            assert file[field].id.get_offset() > 0


def test_large_fields_are_aligned(tmp_path: Path, header: Header):
    clips = [Record("a", ragged={"frames/values": np.ones((2000, 3), np.float32)})]
    merge(tmp_path / "all.h5", header, [write(tmp_path / "part.h5", header, clips)], ["a"])
    assert Cache(tmp_path / "all.h5").file.datasets["frames/values"].offset % 4096 == 0


def test_part_in_which_every_clip_failed(tmp_path: Path, header: Header, records: list[Record], assert_same):
    failed = write(tmp_path / "failed.h5", header, [Record("x", Status.SILENT, "s"), Record("y", Status.SILENT, "s")])
    usable = write(tmp_path / "usable.h5", header, records)
    for names in (["x", "b", "y"], ["b", "x", "y"]):
        merge(tmp_path / "all.h5", header, [failed, usable], names)
        cache = Cache(tmp_path / "all.h5")
        assert_same(cache.clip("b"), records[1])
        assert np.isnan(cache.row("utterance", ["x", "y"])).all()
        assert verify(tmp_path / "all.h5") == []


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


def test_half_precision_names_the_clip(tmp_path: Path, header: Header):
    clips = [
        Record(name, ragged={"frames/values": np.full((2, 3), value)})
        for name, value in [("a", np.float32(0.1)), ("b", np.float32(7e4))]
    ]
    part = write(tmp_path / "part.h5", header, clips)
    merge(tmp_path / "half.h5", header, [part], ["a"], half=True)
    values = Cache(tmp_path / "half.h5").ragged("frames/values", "a")
    assert values.dtype == np.float16
    assert values[0, 0] == np.float16(0.1)
    with pytest.raises(UserError, match="'b' has values beyond 65504"):
        merge(tmp_path / "half.h5", header, [part], ["a", "b"], half=True)
    assert Cache(tmp_path / "half.h5").names == ["a"]


def test_clip_that_no_part_has(cache_file: Path, header: Header):
    before = cache_file.read_bytes()
    with pytest.raises(KeyError, match="'x'"):
        merge(cache_file, header, [cache_file], ["b", "x"])
    assert cache_file.read_bytes() == before


def test_room_is_asked_for_before_the_work(tmp_path: Path, header: Header, monkeypatch):
    clips = [Record("a", ragged={"frames/values": np.ones((1000, 3), np.float32)})]
    part = write(tmp_path / "part.h5", header, clips)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage((32 << 20) + 11_999))
    with pytest.raises(OSError, match="No space left"):
        merge(tmp_path / "all.h5", header, [part], ["a"])
    assert list(tmp_path.iterdir()) == [part]


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

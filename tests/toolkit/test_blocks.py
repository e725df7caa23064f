"""Going through arrays a few rows at a time."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from toolkit.blocks import blocks, consecutive, spans


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("toolkit.blocks.BLOCK_BYTES", 100)


def test_spans_cover_every_row_once():
    assert list(spans(3, 10, 30)) == [(3, 6), (6, 9), (9, 10)]
    assert list(spans(3, 3, 30)) == []


def test_a_row_larger_than_a_block_goes_alone():
    assert list(spans(0, 3, 101)) == [(0, 1), (1, 2), (2, 3)]


def test_blocks_are_the_rows_in_order():
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    parts = list(blocks(values))
    assert [len(part) for part in parts] == [8, 8, 4]
    np.testing.assert_array_equal(np.concatenate(parts), values)
    assert all(np.shares_memory(part, values) for part in parts)


@pytest.mark.parametrize("values", [np.zeros((0, 4)), np.zeros((3, 0)), np.broadcast_to(np.float32(2), (30, 3))])
def test_odd_shapes(values):
    assert sum(len(part) for part in blocks(values)) == len(values)


def resident(mapping: np.ndarray) -> int:
    """Kilobytes of this process' memory that a map of a file takes, as the kernel counts it."""
    start = f"{mapping.ctypes.data:x}-"
    lines = Path("/proc/self/smaps").read_text().splitlines()
    here = next(number for number, line in enumerate(lines) if line.startswith(start))
    return int(next(line for line in lines[here:] if line.startswith("Rss:")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what a map takes")
def test_pages_of_a_map_are_let_go(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("toolkit.blocks.BLOCK_BYTES", 1 << 20)
    np.ones(8 << 20, np.uint8).tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.uint8, mode="r")
    total, most = 0, 0
    for block in blocks(np.asarray(mapped)[:]):  # a view of it finds the map too
        total += int(block.sum())
        most = max(most, resident(mapped))
    assert total == 8 << 20
    assert 1024 <= most < 4096  # the block looked at, and what the system read around it
    assert resident(mapped) < 1024


def test_changes_that_no_file_holds_are_not_let_go(tmp_path: Path):
    np.zeros(1000, np.uint8).tofile(tmp_path / "x")
    copied = np.memmap(tmp_path / "x", np.uint8, mode="c")
    copied[:] = 7
    assert sum(int(block.sum()) for block in blocks(copied)) == 7000
    assert copied.sum() == 7000
    anonymous = np.frombuffer(mmap.mmap(-1, 1000), np.uint8)
    anonymous[:] = 5
    assert sum(int(block.sum()) for block in blocks(anonymous)) == 5000
    assert anonymous.sum() == 5000


@pytest.mark.parametrize(
    ("numbers", "runs"),
    [
        ([], []),
        ([3], [(3, 4)]),
        ([0, 1, 2], [(0, 3)]),
        ([2, 1, 0], [(2, 3), (1, 2), (0, 1)]),
        ([5, 5], [(5, 6), (5, 6)]),
    ],
)
def test_consecutive(numbers, runs):
    assert consecutive(np.array(numbers, np.intp)) == runs

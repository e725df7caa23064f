"""Growing arrays, in memory and in a temporary file."""

import gc
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.spool import Spool

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)


def spool_of(values, limit, step=7) -> Spool:
    spool = Spool(limit)
    for start in range(0, len(values), step):
        spool.append(values[start : start + step])
    return spool


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """The system's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("limit", [0, 100, 239, 240])
def test_gives_back_what_went_in(limit):
    spool = spool_of(ROWS, limit)
    assert len(spool) == 20
    array = spool.array()
    assert array.dtype == np.float32
    assert isinstance(array, np.memmap) == (limit < 240)
    np.testing.assert_array_equal(array, ROWS)
    np.testing.assert_array_equal(spool.array(), array)


def test_goes_on_after_it_was_read():
    for limit in (0, 1000):
        spool = spool_of(ROWS[:10], limit)
        first = spool.array()
        spool.append(ROWS[10:])
        np.testing.assert_array_equal(first, ROWS[:10])
        np.testing.assert_array_equal(spool.array(), ROWS)


def test_file_cannot_be_spoilt_through_the_array():
    with pytest.raises(ValueError, match="read-only"):
        spool_of(ROWS, 0).array()[0] = 1


@pytest.mark.parametrize("limit", [0, 1000])
def test_blocks_may_be_used_again_by_whoever_gave_them(limit):
    spool, block = Spool(limit), np.zeros((2, 3))
    for number in range(3):
        block[:] = number
        spool.append(block)
    assert spool.array()[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


def test_views_that_are_not_contiguous():
    spool = Spool(0)
    spool.append(ROWS[::2, 1:])
    np.testing.assert_array_equal(spool.array(), ROWS[::2, 1:])


@pytest.mark.parametrize("limit", [0, 1000])
def test_bytes(limit):
    spool = Spool(limit)
    spool.append(b"\x01\xff")
    spool.append(b"")
    spool.append(np.array([7], np.uint8))
    assert spool.array().tolist() == [1, 255, 7]


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize(
    ("block", "got"),
    [(ROWS.astype(np.float64), r"float64 \(n, 3\)"), (ROWS[:, :2], r"float32 \(n, 2\)"), (ROWS[0], r"float32 \(n,\)")],
)
def test_blocks_of_another_kind(limit, block, got):
    spool = spool_of(ROWS, limit)
    with pytest.raises(ValueError, match=rf"a block of {got} after blocks of float32 \(n, 3\)"):
        spool.append(block)
    np.testing.assert_array_equal(spool.array(), ROWS)


def test_empty():
    with pytest.raises(ValueError, match="type and width are not known"):
        Spool().array()
    spool = Spool(0)
    spool.append(ROWS[:0])
    assert spool.array().shape == (0, 3)


def test_file_has_no_name_and_vanishes_with_the_array(temporary: Path):
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    spool = spool_of(ROWS, 0)
    assert list(temporary.iterdir()) == []
    array = spool.array()
    del spool
    assert descriptors() > before
    np.testing.assert_array_equal(array, ROWS)
    del array
    assert descriptors() == before


def test_full_disk_names_the_folder(temporary: Path):
    """The system takes the beginning of what does not fit, and no more."""
    resource = pytest.importorskip("resource")
    spool, limits = Spool(0), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(OSError, match=rf"0\.0 GB of one clip do not fit.* {temporary} \(.*\); .*TMPDIR") as full:
            spool.append(np.zeros(1 << 21, np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(full.value, UserError), "it would be taken for the clip's fault"


def test_a_system_that_writes_less_than_it_is_given(monkeypatch):
    class Reluctant:
        def __init__(self) -> None:
            self.file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115

        def write(self, data) -> int:
            return self.file.write(data[:5])

    reluctant = Reluctant()
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: reluctant)
    spool_of(ROWS, 0)
    reluctant.file.seek(0)
    assert reluctant.file.read() == ROWS.tobytes()

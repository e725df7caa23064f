"""Segments on their way to the disk, when something goes wrong there."""

import errno
import threading
import time
from pathlib import Path

import pytest

from feature_extraction import production
from feature_extraction.feature_job import FeatureJob
from feature_extraction.production import produce
from feature_extraction.segment import open_segments, plan_segments
from feature_extraction.source import TextSource
from toolkit.cache import Cache, CacheWriter


@pytest.fixture
def work(words, letters, tmp_path):
    """A job that fills caches of both levels, its source and four segments."""
    levels = ("utterance", "frame")
    job = FeatureJob(words, letters.specs[0], tmp_path, levels=levels, device="cpu", trusted=())
    rows = {row["name"]: row for row in words.table.to_dict("records")}
    segments = open_segments(plan_segments(list(rows), 16), rows, [(0, target) for target in job.targets])
    return [job], TextSource("text"), segments


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_disk_that_fills_up_costs_no_finished_segment(work, tmp_path, monkeypatch):
    made = []

    class Writer(CacheWriter):
        """The fourth finds no room; those before it take their time to close."""

        def __init__(self, *arguments, **options):
            made.append(self)
            if len(made) == 4:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().__init__(*arguments, **options)

        def close(self):
            time.sleep(0.2)
            super().close()

    monkeypatch.setattr(production, "CacheWriter", Writer)
    with pytest.raises(OSError, match="No space left"):
        list(produce(*work, threads=1))
    assert [Cache(path).names[0] for path in files(tmp_path)] == ["c00", "c00"]  # at both levels, and nothing else


def test_error_in_the_background_ends_the_run(work, tmp_path, monkeypatch):
    class Writer(CacheWriter):
        def close(self):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(production, "CacheWriter", Writer)
    with pytest.raises(OSError, match="Input/output"):
        list(produce(*work, threads=1))
    assert files(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_stopped_between_batches(work, tmp_path, error):
    def stop_after_a_segment():
        for _ in produce(*work, threads=2):
            if files(tmp_path):
                raise error

    before = threading.active_count()
    with pytest.raises(error):
        stop_after_a_segment()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == before
    assert not [path for path in files(tmp_path) if path.suffix != ".h5"]

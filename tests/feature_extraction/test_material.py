"""Clips read in batches."""

import threading

import pytest

from feature_extraction.material import batches, read_batches
from feature_extraction.segment import Segment
from feature_extraction.source import Source
from toolkit.errors import ClipError, UserError
from toolkit.status import Status


class Sizes(Source):
    """The size of a clip stands in its row."""

    budget = 10.0

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.threads: set[int] = set()

    def load(self, row):
        self.threads.add(threading.get_ident())
        if row["size"] < 0:
            raise self.error
        return row["size"]

    def size(self, item):
        return float(item)


def segment(key: str, *sizes: float) -> Segment:
    return Segment(key, [{"name": f"{key}{number}", "size": size} for number, size in enumerate(sizes)], [])


def test_batches_stay_within_the_budget():
    sizes = [("a", 4), ("b", 6), ("c", 1), ("d", 25), ("e", 3)]
    assert [[name for name, _ in batch] for batch in batches(Sizes(), sizes)] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_failed_clips_take_no_room():
    error = ClipError(Status.SILENT, "silent")
    items = [("a", 9), ("b", error), ("c", 1), ("d", error)]
    assert [[name for name, _ in batch] for batch in batches(Sizes(), items)] == [["a", "b", "c", "d"]]


@pytest.mark.parametrize("threads", [1, 3])
def test_order_and_borders_of_segments(threads):
    source = Sizes()
    segments = [segment("a", 5, 5, 1, 8), segment("b", 1), segment("c", 20, 20)]
    found = [(part.key, [name for name, _ in batch]) for part, batch in read_batches(source, segments, threads)]
    assert found == [("a", ["a0", "a1"]), ("a", ["a2", "a3"]), ("b", ["b0"]), ("c", ["c0"]), ("c", ["c1"])]
    assert len(source.threads) <= threads


def test_clip_error_stands_in_for_the_material():
    error = ClipError(Status.NO_AUDIO, "none")
    ((_, batch),) = read_batches(Sizes(error), [segment("a", 1, -1)], 1)
    assert batch == [("a0", 1), ("a1", error)]


def test_unforeseen_error_is_one_clips(caplog):
    ((_, batch),) = read_batches(Sizes(MemoryError("so large\nindeed")), [segment("a", 1, -1)], 1)
    assert (batch[1][1].status, batch[1][1].reason) == (Status.ERROR, "MemoryError: so large")
    assert "unforeseen error in clip 'a1'" in caplog.text


def test_users_mistake_ends_the_run():
    with pytest.raises(UserError, match="no cache"):
        list(read_batches(Sizes(UserError("no cache")), [segment("a", -1)], 1))

"""Planning segments, and batches within one."""

from pathlib import Path

from feature_extraction.segment import SEGMENT_CLIPS, _batches, plan_segments
from toolkit.errors import ClipError
from toolkit.status import Status


class _Job:
    class source:
        budget = 10.0
        size = staticmethod(float)


def test_plan_is_the_same_for_the_same_clips():
    names = [f"c{n}" for n in range(SEGMENT_CLIPS * 2 + 1)]
    plan = plan_segments(names, Path("x.h5"))
    assert list(map(len, plan.values())) == [SEGMENT_CLIPS, SEGMENT_CLIPS, 1]
    assert plan == plan_segments(names, Path("x.h5"))
    assert plan.keys() & plan_segments(names[::-1], Path("x.h5")).keys() == set()


def test_batches_stay_within_the_budget():
    sizes = [("a", 4), ("b", 6), ("c", 1), ("d", 25), ("e", 3)]
    assert [[name for name, _ in batch] for batch in _batches(_Job, sizes)] == [["a", "b"], ["c"], ["d"], ["e"]]


def test_failed_clips_take_no_room():
    error = ClipError(Status.SILENT, "silent")
    items = [("a", 9), ("b", error), ("c", 1), ("d", error)]
    assert [[name for name, _ in batch] for batch in _batches(_Job, items)] == [["a", "b", "c", "d"]]

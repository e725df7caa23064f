"""Planning segments."""

from pathlib import Path

from feature_extraction.job import Target
from feature_extraction.segment import open_segments, plan_segments, segment_path
from toolkit.cache import CacheWriter, Header, Record


def test_plan_is_the_same_for_the_same_clips():
    names = [f"c{n}" for n in range(17)]
    plan = plan_segments(names, 8)
    assert [list(piece) for piece in plan.values()] == [names[:8], names[8:16], names[16:]]
    assert plan == plan_segments(names, 8)
    assert plan.keys() & plan_segments(names[::-1], 8).keys() == set()


def test_segments_that_some_cache_lacks(tmp_path: Path):
    plan = plan_segments(["a", "b", "c"], 2)
    rows = {name: {"name": name} for name in "abc"}
    mine, stale = (Target(tmp_path / f"{name}.h5", Header("corpus", "{}", "new")) for name in ("mine", "stale"))
    first, second = plan
    for target, identity in ((mine, "new"), (stale, "old")):
        with CacheWriter(segment_path(target.path, first), Header("corpus", "{}", identity)) as writer:
            writer.append(Record("a"))
    found = open_segments(plan, rows, [(0, mine), (1, stale)])
    assert [(segment.key, segment.todo) for segment in found] == [
        (first, [(1, stale)]),
        (second, [(0, mine), (1, stale)]),
    ]
    assert [row["name"] for row in found[0].rows] == ["a", "b"]
    assert not segment_path(stale.path, first).exists()
    assert open_segments({first: ["a", "b"]}, rows, [(0, mine)]) == []

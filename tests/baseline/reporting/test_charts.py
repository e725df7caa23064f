"""Pictures that are files: what they show, and that the same is always the same bytes."""

import re
from xml.etree import ElementTree

import pytest

from baseline.reporting.charts import Bar, Share, importance_chart, ranking_chart

SHARES = [Share("learning_rate", 0.7, 0.2, 0.1, "0.01: 0.650"), Share("hidden", 0.1, 0.05, 0.2, "64: 0.600")]
BARS = [
    Bar("hubert", "audio", 0.7, 0.01, 0.69, 0.66, 0.72),
    Bar("clip", "visual", 0.6, float("nan"), 0.59, 0.5, 0.66),
]


def texts(path):
    """Every text of a picture, in the order it is drawn."""
    return [" ".join(node.itertext()) for node in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_importance(tmp_path):
    importance_chart(SHARES, "Protocol honest, 36 clips chose.", tmp_path / "importance.svg")
    shown = texts(tmp_path / "importance.svg")
    assert {"learning_rate", "hidden", "0.01: 0.650", "64: 0.600", "Protocol honest, 36 clips chose."} <= set(shown)


def test_ranking(tmp_path):
    ranking_chart(BARS, "weighted F1", "Protocol honest.", tmp_path / "ranking.svg")
    shown = texts(tmp_path / "ranking.svg")
    assert {"hubert", "clip", "audio", "visual", "Protocol honest."} <= set(shown)
    assert shown.index("hubert") < shown.index("clip")


@pytest.mark.parametrize(("draw", "parts"), [(importance_chart, (SHARES,)), (ranking_chart, (BARS, "weighted F1"))])
def test_same_bytes(tmp_path, draw, parts):
    for name in ("a/picture.svg", "b/picture.svg"):
        draw(*parts, "Caption.", tmp_path / name)
    one, other = ((tmp_path / name).read_bytes() for name in ("a/picture.svg", "b/picture.svg"))
    assert one == other
    assert not re.search(rb"<dc:date>", one)


def test_long_caption_is_broken_and_nothing_to_show_is_shown(tmp_path):
    importance_chart([], "word " * 60, tmp_path / "importance.svg")
    assert sum("word" in text for text in texts(tmp_path / "importance.svg")) >= 2

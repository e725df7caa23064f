"""Pairs of corpora in stage 2: trained on the one, scored on the other, features in the caches of both."""

import json

import pandas as pd
import pytest

from baseline.config import load_config
from baseline.rank import ALL, encoders_of, rank
from baseline.run import run
from toolkit.errors import UserError


@pytest.fixture
def pair(tiny, make_corpus, make_cache, tmp_path, monkeypatch):
    """A second corpus beside the tiny one, with two of its three features; both named from where they are."""
    other = make_corpus(tmp_path, "other", test=4)
    for feature in ("voice", "face"):
        make_cache(tmp_path / "cache", other, feature)
    other.table.drop(columns="signal").to_csv(tmp_path / "other.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return "cross:folder:tiny.csv,folder:other.csv"


def test_references_are_those_of_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = {"track": "emotion", "cache": "cache", "features": ["voice"]}
    for given, expected in {
        "cross:meld:data/meld,iemocap4:a,b": f"cross:meld:{tmp_path}/data/meld,iemocap4:{tmp_path}/a,b",
        "meld:data": f"meld:{tmp_path}/data",
        "my.csv": f"{tmp_path}/my.csv",
        "take:two.csv": f"{tmp_path}/take:two.csv",
        "mled:data": f"mled:{tmp_path}/data",
    }.items():
        assert load_config(None, facts | {"corpus": given}).corpus == expected
    with pytest.raises(UserError, match="'meld:data' is no pair of corpora"):
        load_config(None, facts | {"corpus": "cross:meld:data"})


def test_run(quick, pair):
    folder = run(quick(track="emotion", corpus=pair))
    metrics = json.loads((folder / "metrics.json").read_text())
    table = pd.read_csv(folder / "predictions.csv").groupby("split")["name"].agg(list)
    assert table["test"] == [f"other_test_{number:03d}" for number in range(12)]
    assert len(table["train"]) == 36
    assert table["train"][0].startswith("tiny_train_")
    assert metrics["test"]["test"]["clips"] == 12


def test_ranking(quick, pair):
    config = quick(track="emotion", corpus=pair, features=[ALL])
    assert encoders_of(config) == ["face", "voice", "words"]
    table = pd.read_csv(rank(config) / "ranking.csv", keep_default_na=False).set_index("encoder")
    assert table.loc["voice", ["corpus", "scored_on", "note"]].tolist() == ["tiny-to-other", "test", ""]
    assert "No cache of 'words' for corpus 'other'" in table.loc["words", "note"]

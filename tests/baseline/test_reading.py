"""What a run reads, by its settings and its network."""

from pathlib import Path

import pandas as pd
import pytest

from baseline.config import load_config
from baseline.reading import Reading, reading_of
from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError

CORPUS = corpus_from_table("tiny", Path("clips"), pd.DataFrame({"name": ["a"], "speaker": ["s"]}))


def reading(model: str, *settings: str) -> Reading:
    given = {"track": "multi", "corpus": "clips.csv", "cache": Path("cache"), "features": ["a"], "model": model}
    return reading_of(load_config(None, given, settings), CORPUS)


@pytest.mark.parametrize(
    ("model", "settings", "expected"),
    [
        ("attention", (), ("utterance", 1)),
        ("attention", ("level=frame",), ("frame", 12)),
        ("attention", ("level=frame", "compress=4"), ("frame", 4)),
        ("mult", (), ("frame", 12)),
        ("ef_lstm", (), ("aligned", 6)),
        ("ef_lstm", ("compress=1",), ("aligned", 1)),
        ("mlp", ("level=utterance", "compress=1"), ("utterance", 1)),
    ],
)
def test_by_default_as_mertools(model, settings, expected):
    assert reading(model, *settings)[:2] == expected


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("ef_lstm", ("level=utterance",), r"'ef_lstm' cannot read level 'utterance'\. It reads: aligned\."),
        ("attention", ("level=aligned",), r"'attention' cannot read level 'aligned'\. It reads: utterance, frame\."),
        ("mlp", ("compress=6",), "Got compress 6, and level 'utterance' has one vector per clip"),
        ("mult", ("context=2", "group=speaker"), "Got context 2.*needs level 'utterance'"),
        ("mlp", ("context=2",), "Got context 2.*needs --group COLUMN"),
        ("atention", (), "Unknown network 'atention'. Did you mean 'attention'"),
    ],
)
def test_refused(model, settings, message):
    with pytest.raises(UserError, match=message):
        reading(model, *settings)


def test_only_networks_that_read_both_are_told():
    assert Reading("frame", 12).told("attention") == {"frames": True}
    assert Reading("frame", 12).told("mult") == {}
    assert Reading().told("attention") == {}

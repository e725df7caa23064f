"""Predictions as a table, JSON and files."""

import json

import pandas as pd
import pytest

from baseline.predict import ClipPrediction, Missing
from baseline.prediction_output import table_lines, to_json, write_predictions
from toolkit.status import Status

SILENT = Missing("egemaps", "audio", Status.SILENT, "the sound is silent")
HAPPY = ClipPrediction("a", "happy", 1.5, [], {"happy": 0.75, "sad": 0.25}, [], True)
LOST = ClipPrediction("long-name", "sad", -0.25, [], {"happy": 0.4, "sad": 0.6}, [SILENT], False)
WORDS = ClipPrediction("a", None, None, ["joyful", "calm"], {"calm": 0.5, "joyful": 0.625, "sad": 0.25}, [], True)
RATED = ClipPrediction("c", None, -0.5, [], {}, [], True)
SPEECHLESS = ClipPrediction("b", None, None, [], {"calm": 0.125, "joyful": 0.0, "sad": 0.25}, [], True)


def test_table_of_emotions():
    assert table_lines([HAPPY, LOST]) == [
        "clip       emotion  happy  sad    valence  missing",
        "a          happy    0.750  0.250  +1.50",
        "long-name  sad      0.400  0.600  -0.25    audio (egemaps): the sound is silent; "
        "nothing to go by, so what training has most of",
    ]


def test_table_of_words():
    assert table_lines([WORDS, SPEECHLESS]) == [
        "clip  words                               missing",
        "a     joyful 0.62, calm 0.50",
        "b     (sad 0.25, calm 0.12, joyful 0.00)",
    ]


def test_sentiment(tmp_path):
    assert table_lines([RATED]) == ["clip  valence  missing", "c     -0.50"]
    write_predictions([RATED], tmp_path / "out.csv")
    assert list(pd.read_csv(tmp_path / "out.csv")) == ["name", "valence", "without_features", "missing"]


def test_json():
    facts = json.loads(to_json([HAPPY, LOST, WORDS]))
    assert facts[0]["probabilities"] == {"happy": 0.75, "sad": 0.25}
    assert facts[1]["missing"] == [
        {"feature": "egemaps", "modality": "audio", "status": "silent", "reason": "the sound is silent"}
    ]
    assert facts[1]["known"] is False
    assert facts[2]["words"] == ["joyful", "calm"]
    assert "emotion" not in facts[2]


@pytest.mark.parametrize(
    ("clip", "column", "value"), [(HAPPY, "emotion", "happy"), (WORDS, "openset", "['joyful', 'calm']")]
)
def test_csv(tmp_path, clip, column, value):
    write_predictions([clip], tmp_path / "out.csv")
    row = pd.read_csv(tmp_path / "out.csv").iloc[0]
    assert row["name"] == "a"
    assert row[column] == value
    assert row[f"probability_{next(iter(clip.probabilities))}"] == next(iter(clip.probabilities.values()))


def test_json_file(tmp_path):
    write_predictions([HAPPY], tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))[0]["valence"] == 1.5

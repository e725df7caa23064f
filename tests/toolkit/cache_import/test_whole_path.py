"""Features from elsewhere, imported by the command line, are trained on like any others."""

import json
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from baseline.config import load_config
from baseline.run import run
from toolkit.cli import run as toolkit

EMOTIONS = ("neutral", "angry", "happy")
COUNTS = {"train": 36, "test_semi": 18}


@pytest.fixture
def table(tmp_path):
    """A corpus of clips in three classes, as a CSV."""
    rows = [
        {"name": f"{split}_{number:02d}", "text": "words", "split": split, "emotion": EMOTIONS[number % 3]}
        for split, count in COUNTS.items()
        for number in range(count)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    return pd.DataFrame(rows)


@pytest.fixture
def features(tmp_path, table):
    """Vectors, frames and an npz file in which each class has its place; some clips have no frames, or no file."""
    random = np.random.default_rng(0)
    centres = 3 * random.normal(size=(3, 12))
    values = np.stack([centres[EMOTIONS.index(e)] for e in table["emotion"]]) + random.normal(size=(len(table), 12))
    for folder in ("hubert-UTT", "manet_FRA"):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(table["name"]):
        np.save(tmp_path / "hubert-UTT" / f"{name}.npy", values[number, :5])
        frames = np.array([]) if number == 4 else values[number, 5:9] + random.normal(size=(number % 7 + 1, 4))
        if number != 40:
            np.save(tmp_path / "manet_FRA" / f"{name}.npy", frames)
    np.savez(tmp_path / "words.npz", name=table["name"].to_numpy(str), text=values[:, 9:])


@pytest.fixture
def bring(tmp_path, monkeypatch):
    """Imports ``bring(file, corpus, modality, encoder)`` by the command."""

    def call(source, corpus, modality, encoder):
        line = ["--from", tmp_path / source, "--corpus", corpus, "--modality", modality, "--encoder", encoder]
        line = ["toolkit", "cache", "import", *line, "--cache", tmp_path / "c"]
        monkeypatch.setattr(sys, "argv", list(map(str, line)))
        with pytest.raises(SystemExit) as end:
            toolkit()
        assert end.value.code == 0

    return call


@pytest.fixture
def train(tmp_path):
    """Trains a small network on imported features and returns the run directory."""

    def start(track, corpus, *features):
        facts = {
            "track": track,
            "corpus": str(corpus),
            "cache": tmp_path / "c",
            "features": list(features),
            "model": "mlp",
            "folds": 3,
            "out": tmp_path / "runs",
            "compare": False,
            "training": {"epochs": 12, "learning_rate": 0.01},
            "network": {"hidden": 8},
        }
        return run(load_config(None, facts))

    return start


def test_folders_and_npz(tmp_path, table, features, bring, train):
    corpus = tmp_path / "mine.csv"
    bring("hubert-UTT", corpus, "audio", "hubert")
    bring("manet_FRA", corpus, "visual", "manet")
    bring("words.npz", corpus, "text", "words")
    folder = train("semi", corpus, "hubert", "manet", "words")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["coverage"]["manet"] == {"ok": 52, "no_face": 1, "missing": 1}
    assert metrics["test"]["test_semi"]["scores"]["accuracy"] > 0.9  # one in three by chance
    caches = json.loads((folder / "environment.json").read_text())["caches"]
    assert {key: cache["spec"]["checkpoint"] for key, cache in caches.items()} == {
        "hubert": "imported:hubert-UTT", "manet": "imported:manet_FRA", "words": "imported:words.npz",
    }  # fmt: skip
    assert "imported:manet_FRA" in (folder / "report.html").read_text(encoding="utf-8")


def test_pickle_of_mmsa(tmp_path, bring, train):
    """The pickle is gone when the network is trained."""
    random = np.random.default_rng(0)
    splits = {}
    for split, count in (("train", 60), ("valid", 12), ("test", 30)):
        labels = random.uniform(-3, 3, count)
        splits[split] = {
            "id": [f"{split}{number // 6}$_${number % 6}" for number in range(count)],
            "raw_text": ["words"] * count,
            "vision": labels[:, None, None] * np.array([1.0, -1.0, 0.5]) + random.normal(size=(count, 7, 3)) / 2,
            "vision_lengths": random.integers(1, 8, count),
            "regression_labels": labels,
        }
        splits[split]["vision"][np.arange(7) >= splits[split]["vision_lengths"][:, None]] = 0
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps(splits))
    bring("mine.pkl", f"mmsa:{path}", "visual", "openface")
    path.unlink()
    folder = train("sentiment", tmp_path / "c" / "mine" / "labels.csv", "openface")
    predictions = pd.read_csv(folder / "predictions.csv").set_index("name")
    test = predictions[predictions["split"] == "test"]
    assert len(test) == 30
    assert np.corrcoef(test["valence"], splits["test"]["regression_labels"])[0, 1] > 0.9

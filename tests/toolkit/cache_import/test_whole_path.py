"""Features from elsewhere, imported by the command line, are trained on like any others."""

import json
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


def test_whole_path(tmp_path, table, features, monkeypatch):
    for source, modality, encoder in (
        ("hubert-UTT", "audio", "hubert"),
        ("manet_FRA", "visual", "manet"),
        ("words.npz", "text", "words"),
    ):
        line = f"cache import --from {tmp_path / source} --corpus {tmp_path / 'mine.csv'} --modality {modality}"
        monkeypatch.setattr(
            sys, "argv", ["toolkit", *line.split(), "--encoder", encoder, "--cache", f"{tmp_path / 'c'}"]
        )
        with pytest.raises(SystemExit) as end:
            toolkit()
        assert end.value.code == 0
    facts = {
        "track": "semi",
        "corpus": str(tmp_path / "mine.csv"),
        "cache": tmp_path / "c",
        "features": ["hubert", "manet", "words"],
        "model": "mlp",
        "folds": 3,
        "out": tmp_path / "runs",
        "compare": False,
        "training": {"epochs": 12, "learning_rate": 0.01},
        "network": {"hidden": 8},
    }
    folder = run(load_config(None, facts))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["coverage"]["manet"] == {"ok": 52, "no_face": 1, "missing": 1}
    assert metrics["test"]["test_semi"]["scores"]["accuracy"] > 0.9  # one in three by chance
    caches = json.loads((folder / "environment.json").read_text())["caches"]
    assert {key: cache["spec"]["checkpoint"] for key, cache in caches.items()} == {
        "hubert": "imported:hubert-UTT", "manet": "imported:manet_FRA", "words": "imported:words.npz",
    }  # fmt: skip
    assert "imported:manet_FRA" in (folder / "report.html").read_text(encoding="utf-8")

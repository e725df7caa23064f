"""Tiny corpora and caches with a class signal in random features."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from toolkit.cache import CacheWriter, Header, Record, cache_path
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.status import Status

if TYPE_CHECKING:
    from baseline.config import RunConfig

EMOTIONS = ("neutral", "angry", "happy")
VALENCE = {"neutral": 0.0, "angry": -3.0, "happy": 3.0}
WORDS = {"neutral": ["neutral", "calm"], "angry": ["angry", "annoyed"], "happy": ["happy", "joyful"]}
FEATURES = {"voice": ("audio", 5), "words": ("text", 6), "face": ("visual", 4)}


@pytest.fixture
def make_corpus() -> Callable[..., Corpus]:
    """Makes a corpus with so many clips of each class in each split, speakers of six clips each."""

    def make(root: Path, name: str = "tiny", emotions=EMOTIONS, **splits: int) -> Corpus:
        generator = np.random.default_rng(len(name))
        rows = []
        for split, per_class in (splits or {"train": 12, "unlabelled": 4, "test_multi": 4, "test_noise": 4}).items():
            for number in range(per_class * len(emotions)):
                emotion = emotions[number % len(emotions)]
                rows.append(
                    {
                        "name": f"{split}_{number:03d}",
                        "split": split,
                        "text": "words",
                        "emotion": np.nan if split == "unlabelled" else emotion,
                        "valence": np.nan if split == "unlabelled" else VALENCE[emotion] + generator.normal() / 4,
                        "openset": np.nan if split == "unlabelled" else str(WORDS[emotion]),
                        "speaker": f"s{number // 6}",
                        "signal": emotion,
                    }
                )
        return corpus_from_table(name, root, pd.DataFrame(rows), emotions=emotions)

    return make


@pytest.fixture
def make_cache() -> Callable[..., Path]:
    """Writes one feature of a corpus, each class around a centre of its own."""

    def make(root: Path, corpus: Corpus, feature: str, *, failed=(), broken=(), leave_out=(), spread=1.0) -> Path:
        modality, dim = FEATURES[feature]
        spec = {"name": feature, "modality": modality, "licence": "Apache-2.0"}
        centres = np.random.default_rng(dim).normal(size=(len(EMOTIONS), dim)) * 2
        noise = np.random.default_rng(dim + len(corpus.name))
        path = cache_path(root, corpus.name, modality, feature)
        with CacheWriter(path, Header(corpus.name, json.dumps(spec), f"identity-{feature}")) as writer:
            for name, emotion in zip(corpus.table["name"], corpus.table["signal"], strict=True):
                values = centres[EMOTIONS.index(emotion)] + noise.normal(size=dim) * spread
                if name in leave_out:
                    continue
                if name in failed:
                    writer.append(Record(name, Status.NO_FACE, "no frame shows a face"))
                    continue
                row = np.full(dim, np.nan) if name in broken else values
                writer.append(Record(name, row={"utterance": row.astype(np.float32)}))
        return path

    return make


@pytest.fixture
def tiny(tmp_path, make_corpus, make_cache) -> tuple[Corpus, Path]:
    """A corpus written as a CSV and its three caches; one training clip and one test clip have no face."""
    corpus = make_corpus(tmp_path)
    for feature in FEATURES:
        failed = ("train_004", "test_multi_001") if feature == "face" else ()
        make_cache(tmp_path / "cache", corpus, feature, failed=failed)
    corpus.table.drop(columns="signal").to_csv(tmp_path / "tiny.csv", index=False)
    return corpus, tmp_path / "cache"


@pytest.fixture
def quick(tiny, tmp_path, monkeypatch) -> Callable[..., "RunConfig"]:
    """Makes the settings of short runs on the tiny corpus, whose reports are left out."""
    from baseline.config import load_config

    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)
    facts = {
        "track": "multi",
        "corpus": str(tmp_path / "tiny.csv"),
        "cache": tmp_path / "cache",
        "features": ["voice", "face"],
        "model": "mlp",
        "network": {},
        "training": {"epochs": 5, "learning_rate": 0.01},
        "folds": 3,
        "compare": False,
        "out": tmp_path / "runs",
    }
    return lambda **given: load_config(None, facts | given)


@pytest.fixture
def without_tests(tiny, tmp_path) -> None:
    """Leaves the tiny corpus nothing but its training clips, so that held-out folds are scored."""
    table = pd.read_csv(tmp_path / "tiny.csv")
    table[table["split"] == "train"].to_csv(tmp_path / "tiny.csv", index=False)

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


@pytest.fixture(scope="session")
def face_pictures() -> Callable[..., np.ndarray]:
    """Makes pictures ``(T, side, side, 3)`` uint8 of a bright square that wanders, each clip on a ground of its own."""

    def make(number: int, count: int = 20, side: int = 80) -> np.ndarray:
        ground = np.random.default_rng(number).integers(20, 120, size=3)
        rows, columns = np.mgrid[:side, :side]
        pictures = np.empty((count, side, side, 3), np.uint8)
        for time in range(count):
            inside = (abs(rows - side // 2) < side // 5) & (abs(columns - side // 4 - time) < side // 5)
            pictures[time] = ground + (rows // 8 % 2)[..., None] * 30 + inside[..., None] * 90
        return pictures

    return make


@pytest.fixture(scope="session")
def face_clips(tmp_path_factory, face_pictures) -> Path:
    """A folder with ``clips.csv``, a video with sound of each clip, and their faces in ``cache``.

    There are eight clips; ``clip_3`` has no face, the sound of ``clip_5`` is silence, and ``clip_6`` is no video.
    """
    import cv2

    from toolkit.media import Sound, write_sound, write_video

    root = tmp_path_factory.mktemp("face_clips")
    lines = ["name,video,audio"]
    with CacheWriter(cache_path(root / "cache", "clips", "faces", "mtcnn"), Header("clips", "{}", "faces")) as writer:
        for number in range(8):
            pictures, name = face_pictures(number), f"clip_{number}"
            noise = np.random.default_rng(number).normal(size=16000) * (number != 5) / 10
            write_video(root / f"{name}.mp4", pictures, frame_rate=25)
            write_sound(root / f"{name}.wav", Sound(noise.astype(np.float32), 16000))
            lines.append(f"{name},{name}.mp4,{name}.wav")
            if number == 3:
                writer.append(Record(name, Status.NO_FACE, "no frame shows a face"))
                continue
            files = [cv2.imencode(".png", picture[..., ::-1])[1] for picture in pictures]
            sizes = np.array([len(file) for file in files])
            ragged = {"frames/time": np.arange(len(files)) / 25, "frames/size": sizes}
            writer.append(Record(name, ragged=ragged | {"jpeg/bytes": np.concatenate(files)}))
    (root / "clip_6.mp4").write_bytes(b"no video")
    (root / "clips.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root

"""Runs on frames: trained, loaded and repeated; each clip as if it were alone, each network as in a slow loop."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from typer.testing import CliRunner

from baseline.config import TrainingSettings, load_config
from baseline.dataset import Examples, Inputs, Targets
from baseline.fold_models import FoldEnsemble
from baseline.lesson import Lesson
from baseline.ragged import Ragged
from baseline.reading import Reading
from baseline.run import run
from baseline.task import EmotionTask
from baseline.trainer import Job, fit_all
from main import MANY, app
from toolkit.cache import CacheWriter, Header, Record, cache_path
from toolkit.console import spread
from toolkit.models.network import Sequences, build_network
from toolkit.status import Status

MODALITIES = {"voice": ("audio", 5), "words": ("text", 6), "face": ("visual", 4)}
PROBABILITIES = [f"probability_{label}" for label in ("neutral", "angry", "happy")]


@pytest.fixture
def corpus(tmp_path, make_corpus):
    """The tiny corpus with frames of its own length for every clip; the class shows in the last of them."""
    corpus = make_corpus(tmp_path, train=12, test_multi=5)
    corpus.table.drop(columns="signal").to_csv(tmp_path / "tiny.csv", index=False)
    for key, (modality, dim) in MODALITIES.items():
        source = np.random.default_rng(dim)
        centres = source.normal(size=(3, dim)) * 3
        path = cache_path(tmp_path / "cache", corpus.name, modality, key, "frame")
        with CacheWriter(path, Header(corpus.name, json.dumps({"name": key}), f"identity-{key}")) as writer:
            for row, name in enumerate(corpus.table["name"]):
                frames = source.normal(size=(source.integers(1, 9), dim)).astype(np.float32)
                frames[-1] += centres[row % 3]
                if (key, name) in {("words", "train_003"), ("face", "train_003"), ("voice", "test_multi_001")}:
                    writer.append(Record(name, Status.MISSING, "not there"))
                else:
                    writer.append(Record(name, row={"utterance": frames[0]}, ragged={"frames/values": frames}))
    return corpus


@pytest.fixture
def start(corpus, tmp_path, monkeypatch):
    """Runs the multi track, without its report, and returns the run directory."""
    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)

    def begin(model, *settings, config=None, epochs=8, **given):
        facts = {
            "track": "multi",
            "corpus": str(tmp_path / "tiny.csv"),
            "cache": tmp_path / "cache",
            "features": list(MODALITIES),
            "model": model,
            "folds": 3,
            "out": tmp_path / "runs",
            "compare": False,
            "training": {"epochs": epochs, "learning_rate": 0.01, "batch_size": 8},
            "network": {"hidden": 8},
        }
        return run(load_config(config, {} if config else facts | given, settings), overwrite=config is not None)

    return begin


RUNS = [
    ("ef_lstm", ["compress=1"], "ef_lstm-aligned1-voice+words+face-seed0"),
    ("mult", ["compress=2", "network.layers=1"], "mult-frame2-voice+words+face-seed0"),
    ("attention", ["level=frame", "compress=2"], "attention-frame2-voice+words+face-seed0"),
]


@pytest.mark.parametrize(("model", "settings", "name"), RUNS, ids=[model for model, _, _ in RUNS])
def test_run_reload_repeat(start, corpus, tmp_path, model, settings, name):
    folder = start(model, *settings, epochs=4 if model == "mult" else 8)
    assert folder.name == name
    table = pd.read_csv(folder / "predictions.csv")
    tests = table[table["split"] == "test_multi"]
    assert (tests["emotion"] == tests["true_emotion"]).mean() > 0.6, "the last frames tell the class"

    ensemble = FoldEnsemble.load(folder / "model.safetensors")
    reading = Reading(**ensemble.facts["reading"])
    assert f"{reading.level}{reading.compress}" == name.split("-")[1]
    sources = reading.open(tmp_path / "cache", corpus, list(MODALITIES))
    inputs = reading.load(sources, corpus.select("test_multi"))
    assert list(inputs.names) == list(tests["name"])
    np.testing.assert_allclose(ensemble.predict(inputs).probabilities, tests[PROBABILITIES], atol=1e-6, rtol=0)

    before = (folder / "predictions.csv").read_bytes()
    again = start(model, config=folder / "config.yaml")
    assert again == folder
    assert (folder / "predictions.csv").read_bytes() == before


def test_alone_as_in_a_batch(start, corpus, tmp_path):
    folder = start("mult", "compress=1", "network.layers=1", epochs=1)
    ensemble = FoldEnsemble.load(folder / "model.safetensors")
    reading = Reading(**ensemble.facts["reading"])
    sources = reading.open(tmp_path / "cache", corpus, list(MODALITIES))
    together = ensemble.predict(reading.load(sources, corpus))
    for row in (0, 3, 17, 40):
        alone = ensemble.predict(reading.load(sources, corpus.only(corpus.table.index == row)))
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[row], atol=1e-5)
        np.testing.assert_allclose(alone.valence[0], together.valence[row], atol=1e-4)


def test_small_batches_change_nothing(start, corpus, tmp_path, monkeypatch):
    """Neither what chose the epoch nor what is predicted, however many clips are looked at together."""
    before = pd.read_csv(start("attention", "level=frame", "compress=1") / "predictions.csv")
    monkeypatch.setattr("baseline.dataset.BATCH", 5)
    monkeypatch.setattr("baseline.dataset.BATCH_FRAMES", 16)
    after = pd.read_csv(start("attention", "level=frame", "compress=1", "name=small") / "predictions.csv")
    np.testing.assert_allclose(before[PROBABILITIES], after[PROBABILITIES], atol=1e-5)


def test_each_modality_alone(start):
    folder = start("ef_lstm", "compress=1", epochs=2, compare=True)
    modalities = json.loads((folder / "metrics.json").read_text())["modalities"]
    assert sorted(modalities) == ["audio", "fused", "text", "visual"]


def test_command_line(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)
    arguments = [
        "--track", "multi", "--corpus", str(tmp_path / "tiny.csv"), "--cache", str(tmp_path / "cache"),
        "--features", "voice", "words", "--model", "lf_dnn", "--level", "frame", "--folds", "3", "--no-compare",
        "--out", str(tmp_path / "runs"), "--set", "training.epochs=2", "network.hidden=8",
    ]  # fmt: skip
    CliRunner().invoke(app, spread(arguments, MANY), catch_exceptions=False)
    config = yaml.safe_load((tmp_path / "runs/multi/lf_dnn-frame12-voice+words-seed0/config.yaml").read_text())
    assert (config["level"], config["compress"]) == ("frame", 12)


def pool(clips: int = 60) -> Examples:
    """Aligned frames of two features; the class shows in their mean, and some clips lack one of them."""
    source = torch.Generator().manual_seed(0)
    emotion, lengths = torch.arange(clips) % 3, torch.randint(1, 7, (clips,), generator=source)
    values = {}
    for key, dim in {"x": 5, "y": 4}.items():
        frames = torch.randn(int(lengths.sum()), dim, generator=source)
        frames[:, 0] += emotion.repeat_interleave(lengths)
        values[key] = Ragged.end_to_end(frames, lengths)
    present = {"x": torch.arange(clips) % 7 != 0, "y": torch.ones(clips, dtype=torch.bool)}
    inputs = Inputs(tuple(map(str, range(clips))), values, present)
    return Examples(inputs, Targets(emotion, emotion - 1.0, torch.zeros(clips, 0)))


POOL, TASK = pool(), EmotionTask(("a", "b", "c"))
NETWORKS = {"ef_lstm": {}, "mult": {"layers": 1}, "attention": {"frames": True}, "mctn": {}, "mfn": {}}


def job(name: str, fold: int, *, seed: int = 0, dropout: float = 0.0, epochs: int = 3) -> Job:
    rows = torch.arange(len(POOL))
    lesson = Lesson(POOL, rows[rows // 3 % 3 != fold], rows[rows // 3 % 3 == fold], seed)
    sizes = {"inputs": POOL.inputs.dims, "classes": 3, "hidden": 8, "dropout": dropout}
    settings = TrainingSettings(epochs=epochs, batch_size=7, learning_rate=1e-2)
    return Job(lesson, {"name": name, **sizes, **NETWORKS[name]}, settings)


@pytest.fixture
def two_threads():
    """What torch does where nobody told it to keep to one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["ef_lstm", "attention", "mctn", "mfn"])
def test_side_by_side_bit_for_bit(name, two_threads):
    """Folds and seeds share the cores, and each is what it is alone."""
    jobs = [job(name, fold, seed=seed, dropout=0.3, epochs=2) for fold in range(2) for seed in (0, 5)]
    torch.manual_seed(1)
    together = fit_all(jobs, TASK)
    alone = [fit_all([one], TASK)[0] for one in jobs]
    for one, other in zip(together, alone, strict=True):
        assert (one.epoch, one.merit) == (other.epoch, other.merit)
        state = other.model.network.state_dict()
        assert all(torch.equal(weight, state[key]) for key, weight in one.model.network.state_dict().items())


@pytest.mark.parametrize("name", ["ef_lstm", "mult", "attention"])
def test_the_slow_way(name):
    """Against a plain loop in torch, which standardises and pads clip by clip."""
    one = job(name, 0)
    fitted = fit_all([one], TASK)[0]
    logits, valence = slow(one, fitted.epoch)
    output = fitted.model.run(POOL.inputs)
    torch.testing.assert_close(output.emotion_logits, logits, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(output.valence, valence, rtol=1e-3, atol=1e-4)


def slow(one: Job, epochs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns logits and valence of all clips."""
    lesson, settings = one.lesson, one.settings
    torch.manual_seed(lesson.seed)
    net = build_network(**one.network)
    optimizer = torch.optim.Adam(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    clips = {key: list(values.values.split(values.lengths.tolist())) for key, values in POOL.inputs.values.items()}
    scaled = {}
    for key, frames in clips.items():
        known = torch.cat([frames[row] for row in lesson.train.tolist() if POOL.inputs.present[key][row]])
        scaled[key] = [((f - known.mean(0)) / known.std(0, correction=0)).clamp(-5, 5) for f in frames]
    valence = POOL.targets.valence
    mean, deviation = valence[lesson.train].mean(), valence[lesson.train].std(correction=0)
    source = np.random.Generator(np.random.SFC64([lesson.seed, 1]))
    for _ in range(epochs):
        for rows in lesson.train[torch.from_numpy(source.permutation(len(lesson.train)))].split(settings.batch_size):
            output = net(padded(scaled, rows), {key: mask[rows] for key, mask in POOL.inputs.present.items()})
            loss = torch.nn.functional.cross_entropy(output.emotion_logits, POOL.targets.emotion[rows])
            loss = loss + (output.valence - (valence[rows] - mean) / deviation).square().mean() + output.auxiliary_loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    output = net.eval()(padded(scaled, torch.arange(len(POOL))), POOL.inputs.present)
    return output.emotion_logits.detach(), (output.valence * deviation + mean).detach()


def padded(frames: dict[str, list[torch.Tensor]], rows: torch.Tensor) -> dict[str, Sequences]:
    """Returns clips padded one by one, to two steps more than the longest needs."""
    features = {}
    for key, every in frames.items():
        own = [every[row] for row in rows.tolist()]
        values = torch.zeros(len(rows), max(map(len, own)) + 2, own[0].shape[1])
        for place, clip in enumerate(own):
            values[place, : len(clip)] = clip
        features[key] = Sequences(values, torch.tensor([len(clip) for clip in own]))
    return features

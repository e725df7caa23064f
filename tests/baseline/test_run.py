import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from baseline.config import load_config
from baseline.fold_models import FoldEnsemble
from baseline.run import run
from baseline.spread import plus_minus
from baseline.summary import summary_lines
from toolkit.errors import UserError
from toolkit.submission import validate_submission

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"epochs": 12, "learning_rate": 0.01}


@pytest.fixture
def start(tiny, tmp_path, monkeypatch):
    """Runs a track on the tiny corpus, without its report unless asked for, and returns the run directory."""

    def begin(track="multi", *, overwrite=False, config=None, report=False, **given):
        if not report:
            monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)
        facts = {
            "track": track,
            "corpus": str(tmp_path / "tiny.csv"),
            "cache": tmp_path / "cache",
            "features": ["voice", "words", "face"],
            "model": "mlp",
            "folds": 3,
            "out": tmp_path / "runs",
            "compare": False,
            "training": QUICK,
            "network": {"hidden": 8},
        }
        return run(load_config(config, {} if config else facts | given), overwrite=overwrite)

    return begin


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_files_of_a_run(start, tiny):
    corpus, _ = tiny
    folder = start(compare=True, report=True)
    assert folder.name == "mlp-voice+words+face-seed0"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.yaml", "environment.json", "folds.csv", "metrics.json",
        "model.safetensors", "predictions.csv", "report.html", "submission.csv",
    ]  # fmt: skip
    validate_submission("multi", corpus, folder / "submission.csv")
    metrics = metrics_of(folder)
    assert metrics["score_name"] == "WAF - 0.25 MSE"
    assert metrics["selection"] == "best epoch on the validation fold"
    assert [fold["clips"] for fold in metrics["folds"]] == [12, 12, 12]
    assert metrics["test"]["test_multi"]["clips"] == 12
    assert np.array(metrics["test"]["test_multi"]["confusion"]["matrix"]).sum() == 12
    assert metrics["coverage"]["face"] == {"ok": 46, "no_face": 2}
    assert sorted(metrics["modalities"]) == ["audio", "fused", "text", "visual"]
    assert metrics["modalities"]["fused"]["validation"] == metrics["validation"]
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["caches"]["face"]["identity"] == "identity-face"
    assert environment["caches"]["face"]["modality"] == "visual"
    assert environment["device"] == "cpu"


def test_scores_are_those_of_the_predictions(start):
    folder = start()
    table, metrics = pd.read_csv(folder / "predictions.csv"), metrics_of(folder)
    test = table[table["split"] == "test_multi"]
    scores = metrics["test"]["test_multi"]["scores"]
    assert scores["accuracy"] == pytest.approx((test["emotion"] == test["true_emotion"]).mean())
    assert scores["mse"] == pytest.approx(((test["valence"] - test["true_valence"]) ** 2).mean())
    assert scores["score"] == pytest.approx(scores["weighted_f1"] - 0.25 * scores["mse"])
    probabilities = table[["probability_neutral", "probability_angry", "probability_happy"]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    train = table[table["split"] == "train"]
    folds = pd.read_csv(folder / "folds.csv")
    assert train["fold"].astype(int).tolist() == folds["fold"].tolist()
    for fold in metrics["folds"]:
        rows = train[train["fold"] == fold["fold"]]
        assert fold["scores"]["accuracy"] == pytest.approx((rows["emotion"] == rows["true_emotion"]).mean())


def test_repeated_from_its_config(start):
    folder = start(seed=7)
    before = {
        name: (folder / name).read_bytes() for name in ("predictions.csv", "folds.csv", "submission.csv", "config.yaml")
    }
    assert start(config=folder / "config.yaml") == folder
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_another_seed_gives_another_run(start):
    first, second = start(), start(seed=1)
    assert first != second
    assert (first / "predictions.csv").read_bytes() != (second / "predictions.csv").read_bytes()


def test_another_run_is_not_overwritten(start):
    folder = start(name="mine")
    before = (folder / "predictions.csv").read_bytes()
    with pytest.raises(UserError, match=r"holds a run with other settings. Give this one a --name, or --overwrite"):
        start(name="mine", seed=1)
    assert (folder / "predictions.csv").read_bytes() == before
    start(name="mine", seed=1, overwrite=True)
    assert (folder / "predictions.csv").read_bytes() != before


def test_test_labels_decide_nothing(start, tmp_path):
    """Every label of the test split is changed; only the scores may be."""
    folder = start(name="before")
    table = pd.read_csv(tmp_path / "tiny.csv")
    rows = table["split"] == "test_multi"
    table.loc[rows, "emotion"] = table.loc[rows, "emotion"].map(
        {"neutral": "happy", "happy": "angry", "angry": "neutral"}
    )
    table.loc[rows, "valence"] *= -1
    table.to_csv(tmp_path / "tiny.csv", index=False)
    after = start(name="after")
    assert (folder / "submission.csv").read_bytes() == (after / "submission.csv").read_bytes()
    assert metrics_of(folder)["validation"] == metrics_of(after)["validation"]
    assert metrics_of(folder)["test"] != metrics_of(after)["test"]


def test_groups_are_kept_together(start, tmp_path):
    folder = start(group="speaker", folds=0)
    table = pd.read_csv(tmp_path / "tiny.csv").set_index("name")
    folds = pd.read_csv(folder / "folds.csv")
    speakers = table.loc[folds["name"], "speaker"].to_numpy()
    assert folds.groupby(speakers)["fold"].nunique().tolist() == [1] * 6
    assert len(metrics_of(folder)["folds"]) == 6
    assert folder.name.endswith("-by-speaker-seed0")


def test_corpus_without_test_splits(start, tmp_path):
    """The held-out predictions are the result, so nothing is chosen on them."""
    table = pd.read_csv(tmp_path / "tiny.csv")
    table[table["split"] == "train"].to_csv(tmp_path / "tiny.csv", index=False)
    folder = start("noise", group="speaker", folds=6)
    metrics = metrics_of(folder)
    assert "the validation fold is untouched" in metrics["selection"]
    assert metrics["test"] == {}
    assert metrics["out_of_fold"]["clips"] == 36
    assert metrics["out_of_fold"]["scores"]["accuracy"] > 0.6
    assert not (folder / "submission.csv").exists()


def test_folds_given_back(start, tmp_path):
    folder = start(name="first")
    again = start(name="second", folds_file=folder / "folds.csv", folds=5)
    assert (folder / "predictions.csv").read_bytes() == (again / "predictions.csv").read_bytes()


def test_single_clip(start, tmp_path):
    pd.read_csv(tmp_path / "tiny.csv").iloc[:1].to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match="Number of training clips: 1"):
        start()


def test_class_with_fewer_clips_than_folds(start):
    with pytest.raises(UserError, match=r"'angry' has 12 training clips, fewer than the 13 folds: use --folds 12"):
        start(folds=13)


def test_training_clips_without_labels(start, tmp_path):
    table = pd.read_csv(tmp_path / "tiny.csv")
    table.loc[0, ["emotion", "valence"]] = np.nan
    table.to_csv(tmp_path / "tiny.csv", index=False)
    assert metrics_of(start())["out_of_fold"]["clips"] == 35
    table.loc[table["split"] == "train", ["emotion", "valence"]] = np.nan
    table.to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match="None of the 36 training clips of 'tiny' has a label"):
        start()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "atention"}, r"Unknown network 'atention'. Did you mean 'attention'\?"),
        ({"network": {"dropout": 2}}, r"Network 'mlp' cannot be built with .*dropout probability"),
        ({"test": ["train"]}, r"'train' is no test split: its clips were learnt from"),
        ({"folds": 2, "select": "inner"}, r"Got 2 folds with --select inner.*Use --folds 3"),
        ({"network": {"hiden": 8}}, r"Unknown option 'hiden' of network 'mlp'. Did you mean 'hidden'\?"),
        ({"features": ["voice", "nose"]}, r"No cache of 'nose'"),
        ({"device": "tpu"}, r"Device 'tpu' cannot be used"),
    ],
)
def test_mistake_leaves_an_earlier_run_alone(start, given, message):
    folder = start(name="mine")
    before = (folder / "metrics.json").read_bytes()
    with pytest.raises(UserError, match=message):
        start(name="mine", overwrite=True, **given)
    assert (folder / "metrics.json").read_bytes() == before


def test_diverged_training(start):
    with pytest.raises(UserError, match=r"Training diverged at learning rate 1e\+30. Try --set training.learning_rate"):
        start(training={"epochs": 2, "learning_rate": 1e30})


def test_two_folds_without_labelled_test_clips(start, tmp_path):
    """Two folds leave none to choose the epoch on, and the held-out ones are the result."""
    table = pd.read_csv(tmp_path / "tiny.csv")
    table[table["split"] == "train"].to_csv(tmp_path / "tiny.csv", index=False)
    assert metrics_of(start(folds=2))["selection"] == "the last epoch; the validation fold is untouched"


def test_valence_without_emotion(start, tmp_path):
    pd.read_csv(tmp_path / "tiny.csv").drop(columns="emotion").to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match=r"None of the 36 training clips .* has a label.*Expected column 'emotion'"):
        start()


def test_emotion_without_valence(start, tmp_path):
    """MULTI predicts valence, so it says at once that there is none; the other tracks do without."""
    pd.read_csv(tmp_path / "tiny.csv").drop(columns="valence").to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match="None of the 36 training clips of 'tiny' has a valence, which track multi"):
        start()
    folder = start("semi", options={"rounds": 0})
    assert "mse" not in metrics_of(folder)["validation"]
    assert pd.read_csv(folder / "predictions.csv")["valence"].isna().all()


def test_doubled_name(start, tmp_path):
    table = pd.read_csv(tmp_path / "tiny.csv")
    table.loc[3, "name"] = table.loc[1, "name"]
    table.to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match=r"tiny.csv, row 5: the name 'train_001' is also in row 3"):
        start()


def test_same_predictions_whatever_ran_before(start):
    """Nothing leaks from one run to the next through global generators or threads."""
    import torch

    first = (start(name="first") / "predictions.csv").read_bytes()
    torch.manual_seed(99)
    torch.set_num_threads(2)
    assert (start(name="second") / "predictions.csv").read_bytes() == first
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_unknown_split(start):
    with pytest.raises(UserError, match="has no split 'test_mutli'"):
        start(test=["test_mutli"])


def test_the_anchor_is_the_text(start):
    """Also where the features have names of their own, and where a modality alone has none."""
    folder = start(model="mmim", features=["voice", "words"], compare=True)
    assert FoldEnsemble.load(folder / "model.safetensors").network["anchor"] == "words"
    assert sorted(metrics_of(folder)["modalities"]) == ["audio", "fused", "text"]


def test_a_modality_that_too_few_clips_have_is_not_compared(start, tiny, make_cache, tmp_path):
    """One clip has a face: the network of its fold cannot learn from faces alone, nor can it end the run."""
    corpus, _ = tiny
    (tmp_path / "cache/tiny/visual/face.h5").unlink()
    make_cache(tmp_path / "cache", corpus, "face", failed=list(corpus.table["name"][1:]))
    folder = start(features=["voice", "face"], compare=True)
    assert sorted(metrics_of(folder)["modalities"]) == ["audio", "fused"]


def test_seeds_and_intervals_are_told(start):
    folder = start(seeds=2, report=True)
    metrics = metrics_of(folder)
    spread = metrics["seeds"]["test_multi"]["score"]
    low, high = metrics["test"]["test_multi"]["interval"]
    assert low < metrics["test"]["test_multi"]["scores"]["score"] < high
    lines = summary_lines(folder)
    assert lines[2].endswith(f"{low:.4f} to {high:.4f}")
    folds = metrics["seeds"]["validation"]["score"]
    assert f"2 seeds, each alone: validation {plus_minus(folds)}, test_multi {plus_minus(spread)}" in lines
    page = (folder / "report.html").read_text()
    assert "Six mlp networks, one per fold and seed (3 and 2), on " in page
    assert f"95 % interval {low:.4f} to {high:.4f}" in page
    assert "mean ± std of 2 seeds, each alone" in page


def test_unknown_option_of_a_track(start):
    with pytest.raises(
        UserError, match=r"Unknown option of track 'semi' 'round' in the settings. Did you mean 'rounds'\?"
    ):
        start("semi", options={"round": 2})


def test_several_features_of_a_modality_are_compared_too(start, tiny):
    _, cache = tiny
    (cache / "tiny/audio/tone.h5").write_bytes((cache / "tiny/audio/voice.h5").read_bytes())
    modalities = metrics_of(start(features=["voice", "tone", "face"], compare=True))["modalities"]
    assert {name: entry["features"] for name, entry in modalities.items()} == {
        "fused": ["face", "tone", "voice"],
        "audio": ["tone", "voice"],
        "visual": ["face"],
        "tone": ["tone"],
        "voice": ["voice"],
    }


def test_clip_without_any_feature(start):
    folder = start(features=["face"])
    table = pd.read_csv(folder / "predictions.csv").set_index("name")
    assert table.index[table["without_features"]].tolist() == ["train_004", "test_multi_001"]
    row = table.loc["test_multi_001", ["probability_neutral", "probability_angry", "probability_happy"]]
    # 12 of each class in three folds; train_004 (angry) has no face, so two networks were trained without it
    share = (2 * 7 / 23 + 8 / 24) / 3
    np.testing.assert_allclose(row.astype(float), [(1 - share) / 2, share, (1 - share) / 2], rtol=1e-5)
    assert metrics_of(folder)["without_features"] == {"train": 1, "test_multi": 1}


def test_command_line(start, tmp_path):
    command = [
        sys.executable, "main.py", "--track", "multi", "--corpus", tmp_path / "tiny.csv", "--cache", tmp_path / "cache",
        "--features", "voice", "words", "--folds", "3", "--out", tmp_path / "runs", "--no-compare",
        "--set", "training.epochs=3", "network.hidden=8",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    folder = tmp_path / "runs/multi/attention-voice+words-seed0"
    assert done.stdout.splitlines()[0].split() == [
        "split",
        "clips",
        "weighted_f1",
        "accuracy",
        "score",
        "mse",
        "interval",
    ]
    assert done.stdout.splitlines()[-1] == str(folder / "report.html")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["features"] == ["voice", "words"]
    assert config["training"]["epochs"] == 3
    again = subprocess.run(
        [*command[:2], "--config", folder / "config.yaml", "--folds", "13"], cwd=ROOT, capture_output=True, text=True
    )
    assert again.returncode == 2
    assert again.stdout == ""
    assert len(again.stderr.splitlines()) == 1
    assert again.stderr.startswith("error: The class 'angry' has 12 training clips")

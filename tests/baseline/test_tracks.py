import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from baseline.config import load_config
from baseline.dataset import Examples, load_inputs, open_features, read_targets
from baseline.run import run
from baseline.study import Part
from baseline.task import Prediction
from baseline.track import tracks
from baseline.tracks.semi import believed, thresholds
from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import parse_words
from toolkit.submission import COLUMNS, validate_submission


@pytest.fixture
def start(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)

    def begin(track, **given):
        facts = {
            "track": track, "corpus": str(tmp_path / "tiny.csv"), "cache": tmp_path / "cache",
            "features": ["voice", "face"], "model": "mlp", "folds": 3, "out": tmp_path / "runs", "compare": False,
            "training": {"epochs": 12, "learning_rate": 0.01}, "network": {"hidden": 8},
        }  # fmt: skip
        folder = run(load_config(None, facts | given))
        return folder, json.loads((folder / "metrics.json").read_text())

    return begin


@pytest.mark.parametrize("track", tracks.names())
def test_every_track_gives_a_valid_submission(start, tiny, track):
    folder, metrics = start(track)
    if track in COLUMNS:
        validate_submission(track, tiny[0], folder / "submission.csv")
    else:
        assert not (folder / "submission.csv").exists()
    assert metrics["track"] == track
    assert 0 < metrics["validation"]["score"]["mean"] <= 1


# semi


def sure(probabilities, known=None):
    values = np.array(probabilities)
    return Prediction(values, np.zeros(len(values)), np.ones(len(values), bool) if known is None else np.array(known))


def test_thresholds_by_hand():
    guess = sure([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.99, 0.01], [0.45, 0.55], [0.0, 1.0]])
    emotion = np.array([0, 0, 0, 1, 1, 1, -1])
    # class 0 rightly at .9 .6 .8; class 1 rightly at .7 and .55; a wrong one and one without label do not count
    np.testing.assert_allclose(thresholds(guess, emotion, 0.5), [0.8, 0.625])
    np.testing.assert_allclose(thresholds(guess, emotion, 0.0), [0.6, 0.55])
    np.testing.assert_allclose(thresholds(guess, emotion, 0.75), [0.85, 0.6625])


def test_class_that_is_never_right_is_never_believed():
    limits = thresholds(sure([[0.9, 0.1], [0.7, 0.3]]), np.array([0, 1]), 0.5)
    assert limits.tolist() == [0.9, np.inf]


def test_clip_without_features_decides_no_threshold():
    limits = thresholds(sure([[0.9, 0.1], [0.7, 0.3]], [True, False]), np.array([0, 0]), 0.0)
    assert limits[0] == 0.9


def test_believed_by_hand(tiny):
    corpus, cache = tiny
    pool = corpus.select("unlabelled").only(pd.Series([True] * 5 + [False] * 7))
    inputs = load_inputs(open_features(cache, corpus, ["voice"]), list(pool.table["name"]))
    part = Part(pool, Examples(inputs, read_targets(pool)))
    guess = sure(
        [[0.81, 0.1, 0.09], [0.8, 0.1, 0.1], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8], [0.9, 0.1, 0]], [True] * 4 + [False]
    )
    added = believed(guess, np.array([0.8, 0.5, np.inf]), part)
    assert added.inputs.names == ("unlabelled_000", "unlabelled_002")
    assert added.targets.emotion.tolist() == [0, 1]
    assert added.targets.valence.isnan().all()
    assert torch.equal(added.inputs.values["voice"], inputs.values["voice"][[0, 2]])


def test_rounds(start):
    _, metrics = start("semi", options={"rounds": 2, "quantile": 0.1})
    rounds = metrics["rounds"]
    assert [entry["round"] for entry in rounds] == [0, 1, 2]
    assert rounds[0]["added"] == 0
    assert "thresholds" not in rounds[0]
    assert 0 < rounds[1]["added"] <= 12
    assert rounds[1]["added"] == round(np.mean(rounds[1]["added_by_fold"]))
    assert set(rounds[1]["thresholds"]) == {"neutral", "angry", "happy"}
    best = metrics["chosen_round"]
    means = [entry["validation"]["score"]["mean"] for entry in rounds]
    assert means[best] == max(means)
    assert metrics["validation"] == rounds[best]["validation"]


def test_no_rounds_is_supervised(start, tiny):
    _, metrics = start("semi", options={"rounds": 0})
    assert len(metrics["rounds"]) == 1
    _, multi = start("multi")
    assert multi["validation"]["weighted_f1"] == pytest.approx(metrics["validation"]["weighted_f1"], abs=0.2)


def test_thresholds_of_a_fold_are_measured_on_the_others(start, tmp_path, monkeypatch):
    asked = []

    def recorded(prediction, emotion, quantile):
        asked.append((len(prediction.probabilities), emotion.tolist()))
        return thresholds(prediction, emotion, quantile)

    monkeypatch.setattr("baseline.tracks.semi.thresholds", recorded)
    folder, _ = start("semi", options={"rounds": 1})
    folds = pd.read_csv(folder / "folds.csv")["fold"].to_numpy()
    emotion = np.arange(36) % 3
    assert asked == [(24, emotion[folds != fold].tolist()) for fold in range(3)]


def test_rounds_are_chosen_on_the_validation_folds_whatever_chose_the_epoch(start):
    _, metrics = start("semi", select="inner", options={"rounds": 1})
    assert metrics["selection"] == (
        "best epoch on another fold, then trained anew with that fold; best round on the validation folds"
    )


def test_validation_labels_reach_no_network_by_way_of_the_pool(start, tmp_path):
    """Labels of fold 0 are changed; with the last epoch kept, its first pseudo-labels may not move."""
    options = {"select": "last", "options": {"rounds": 1, "quantile": 0.0}}
    folder, _ = start("semi", name="before", **options)
    folds = pd.read_csv(folder / "folds.csv").set_index("name")["fold"]
    table = pd.read_csv(tmp_path / "tiny.csv").set_index("name")
    rows = folds.index[folds == 0]
    table.loc[rows, "valence"] *= -1
    table.reset_index().to_csv(tmp_path / "tiny.csv", index=False)
    after, _ = start("semi", name="after", folds_file=folder / "folds.csv", **options)
    first, second = (pd.read_csv(one / "predictions.csv").set_index("name").loc[rows] for one in (folder, after))
    columns = [column for column in first if column.startswith("probability")]
    assert first[columns].equals(second[columns])


# noise


@pytest.fixture
def noisy(tiny, tmp_path, make_cache):
    """Two corrupted copies: of the training clips and, at two strengths, of a test split."""
    corpus, cache = tiny
    references = []
    for name, split in (("noisytrain", "train"), ("noisytest", "test_multi")):
        copy = corpus.select(split)
        table = copy.table.assign(snr=[5.0, 10.0] * (len(copy) // 2), emotion=np.nan)
        copy = type(copy)(name, copy.root, table, copy.emotions)
        for feature in ("voice", "face"):
            make_cache(cache, copy, feature, spread=2.0)
        table.drop(columns="signal").to_csv(tmp_path / f"{name}.csv", index=False)
        references.append(str(tmp_path / f"{name}.csv"))
    return references


def test_noise_curve(start, noisy):
    folder, metrics = start("noise", options={"noisy_train": noisy[:1], "noisy_test": noisy[1:]})
    curve = metrics["noise_curve"]
    assert [(point["snr"], point["clips"]) for point in curve] == [(None, 12), (10.0, 6), (5.0, 6)]
    assert set(curve[1]["clean_trained"]) >= {"weighted_f1", "accuracy", "score"}
    assert curve[0]["scores"] == metrics["test"]["test_multi"]["scores"]
    assert curve[0]["clean_trained"] == metrics["clean_trained"]["test"]["test_multi"]["scores"]
    assert [fold["clips"] for fold in metrics["folds"]] == [24, 24, 24]  # copies are held out with their sources
    assert metrics["out_of_fold"]["clips"] == 36
    assert (pd.read_csv(folder / "predictions.csv")["split"] == "train").sum() == 36


def test_noise_changes_the_networks_and_clean_ones_stay(start, noisy):
    plain, _ = start("noise", name="plain")
    trained, metrics = start("noise", name="noisy", options={"noisy_train": noisy[:1]})
    assert (plain / "submission.csv").read_text().splitlines()[0] == "name,discrete"
    before, after = (pd.read_csv(folder / "predictions.csv") for folder in (plain, trained))
    assert not before["probability_angry"].equals(after["probability_angry"])
    plain_metrics = json.loads((plain / "metrics.json").read_text())
    own = {split: entry | {"interval": None} for split, entry in metrics["clean_trained"]["test"].items()}
    assert own == {split: entry | {"interval": None} for split, entry in plain_metrics["test"].items()}


def test_no_noisy_clips_is_said(start, caplog):
    start("noise")
    assert "python -m toolkit corrupt --corpus REF --out DIR --snr 5 10" in caplog.text


def test_copy_of_other_clips(start, noisy):
    with pytest.raises(UserError, match=r"'noisytest' holds no copy of a clip of 'tiny' \(splits train\)"):
        start("noise", options={"noisy_train": noisy[1:]})
    with pytest.raises(
        UserError, match=r"'noisytrain' holds no copy of a clip of 'tiny' \(splits test_multi, test_noise\)"
    ):
        start("noise", options={"noisy_test": noisy[:1]})


def test_copy_without_snr(start, noisy, tmp_path):
    pd.read_csv(noisy[1]).drop(columns="snr").to_csv(noisy[1], index=False)
    with pytest.raises(UserError, match="'noisytest' has no numbers in a column 'snr'"):
        start("noise", options={"noisy_test": noisy[1:]})


def test_copy_that_is_the_source(start, tmp_path):
    with pytest.raises(UserError, match="is called 'tiny' like its source"):
        start("noise", options={"noisy_train": [str(tmp_path / "tiny.csv")]})


def test_copy_made_with_other_settings(start, noisy, tmp_path):
    import h5py

    with h5py.File(tmp_path / "cache/noisytrain/audio/voice.h5", "r+") as file:
        file.attrs["identity"] = "other"
    with pytest.raises(UserError, match="identity other, expected identity-voice"):
        start("noise", options={"noisy_train": noisy[:1]})


# ov


def test_words_of_training_clips(start):
    folder, metrics = start("ov")
    assert set(metrics["test"]) == {"unlabelled"}
    assert set(metrics["out_of_fold"]["scores"]) == {
        "set_accuracy", "set_recall", "set_score", "score", "wheel_f1", "wheel_level1", "wheel_level2",
    }  # fmt: skip
    table = pd.read_csv(folder / "predictions.csv")
    assert {f"probability_{word}" for word in ("angry", "annoyed", "calm", "joyful")} <= set(table)
    words = [parse_words(cell) for cell in table["openset"]]
    assert max(map(len, words)) >= 2
    assert metrics["out_of_fold"]["scores"]["set_score"] > 0.6
    assert metrics["score_name"] == "emotion-wheel F"


def test_only_classes(start, tmp_path):
    """No words anywhere: each class stands for itself and two neighbours on the wheel."""
    pd.read_csv(tmp_path / "tiny.csv").drop(columns="openset").to_csv(tmp_path / "tiny.csv", index=False)
    folder, metrics = start("ov")
    table = pd.read_csv(folder / "predictions.csv")
    assert len([column for column in table if column.startswith("probability_")]) == 9
    assert "probability_happy" in table
    assert metrics["out_of_fold"]["clips"] == 36


def test_neither_words_nor_classes(start, tmp_path):
    pd.read_csv(tmp_path / "tiny.csv").drop(columns=["openset", "emotion"]).to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match="No training clip of 'tiny' has words in column 'openset', nor an emotion"):
        start("ov")


def test_paths_of_options_do_not_depend_on_where_a_run_starts(start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groups.json").write_text('{"train_000": [["neutral", "calm"]]}')
    folder, _ = start("ov", options={"groups": "groups.json"})
    options = yaml.safe_load((folder / "config.yaml").read_text())["options"]
    assert options == {"groups": str(tmp_path / "groups.json")}


def test_no_file_of_groups(start, tmp_path):
    with pytest.raises(UserError, match=r"none\.json cannot be read as synonym groups"):
        start("ov", options={"groups": tmp_path / "none.json"})

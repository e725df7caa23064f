"""Whole fine-tunings of tiny networks on folders of coloured pictures."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from baseline.face_clips.picture_folder import PictureFolder
from baseline.fine_tuning import fold_training
from baseline.fine_tuning.augmentation import as_input, resized
from baseline.fine_tuning.learner import Learner
from baseline.fine_tuning.run import run
from baseline.fine_tuning.settings import load_settings
from baseline.fine_tuning.summary import summary_lines
from toolkit.errors import UserError
from toolkit.frame_sampling import view_frames
from toolkit.models.checkpoint import load_checkpoint
from toolkit.models.checkpoint_file import read_checkpoint
from toolkit.models.masked_autoencoder import autoencoders

TINY = ["learning.epochs=2", "learning.batch_size=4", "learning.accumulate=1", "learning.warmup_epochs=0"]


@pytest.fixture(autouse=True)
def no_report(monkeypatch):
    """Its pictures take longer than these trainings."""
    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)


def config(tmp_path, *settings, out="run", **given):
    facts = {"corpus": str(tmp_path / "clips.csv"), "out": tmp_path / out, "device": "cpu", **given}
    if "checkpoint" not in given:
        facts = {"model": "videomae", "size": "tiny-test", **facts}
    return load_settings(None, facts, [*TINY, *settings])


def predictions(folder):
    return pd.read_csv(folder / "predictions.csv")


def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_folds_are_pooled(make_clips, tmp_path):
    """UAR and WAR are those of all folds' predictions together, counted here by hand; a fold may lack a class."""
    corpus = make_clips(tmp_path, train=4)
    names = corpus.table["name"]
    folds = dict(zip(names, "011001011101", strict=True)) | dict.fromkeys(names[corpus.table["emotion"] == "sad"], "1")
    lines = ["name,fold", *(f"{name},{fold}" for name, fold in folds.items())]
    (tmp_path / "folds.csv").write_text("\n".join(lines) + "\n")
    folder = run(config(tmp_path, folds_file=tmp_path / "folds.csv"))
    table = predictions(folder)
    assert table["name"].is_unique
    assert len(table) == 12
    right = table["emotion"] == table["true_emotion"]
    recalls = [right[table["true_emotion"] == emotion].mean() for emotion in ("angry", "happy", "sad")]
    found = metrics(folder)
    assert found["out_of_fold"]["scores"]["unweighted_recall"] == pytest.approx(np.mean(recalls))
    assert found["out_of_fold"]["scores"]["accuracy"] == pytest.approx(right.mean())
    assert "sad" not in set(table["true_emotion"][table["fold"] == 0])
    own = [right[table["fold"] == fold].mean() for fold in (0, 1)]
    assert [entry["scores"]["accuracy"] for entry in found["folds"]] == pytest.approx(own)
    assert found["validation"]["score"]["mean"] == pytest.approx(np.mean(own))
    shares = table.filter(like="probability_").sum(axis=1)
    assert shares.to_numpy() == pytest.approx(np.ones(12))
    assert found["unreadable"] == {"train": 0, "validation": 0, "test": 0}
    assert any("untouched" in line for line in summary_lines(folder))


def test_it_learns(make_clips, tmp_path):
    """Three colours are told apart, once rates are not those for large batches and nothing hides the colour."""
    make_clips(tmp_path, train=4, test=3)
    strong = ("learning.epochs=8", "learning.learning_rate=0.2", "learning.weight_decay=0", "learning.drop_path=0")
    plain = ("augmentation.operations=0", "augmentation.erasing=0", "mixing.mixup=0", "mixing.cutmix=0")
    folder = run(config(tmp_path, *strong, *plain))
    assert metrics(folder)["test"]["test"]["scores"]["accuracy"] == 1
    history = json.loads((folder / "all" / "outcome.json").read_text())["history"]
    assert history[-1]["loss"] < history[0]["loss"] / 2


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("select", ["last", "best"])
def test_killed_and_gone_on_is_the_same(make_clips, tmp_path, monkeypatch, select):
    """Ended within an epoch, and between the writing of weights and of the state, in either fold."""
    make_clips(tmp_path, train=3)
    options = {"folds": 3, "select": select}
    whole = run(config(tmp_path, "learning.learning_rate=0.05", out="whole", **options))
    steps, write = Learner.step, fold_training.write_checkpoint
    calls = {"step": 0, "write": 0}

    def ended(kind, act, *times):
        def instead(*arguments):
            calls[kind] += 1
            if calls[kind] in times:
                raise KilledError
            return act(*arguments)

        return instead

    monkeypatch.setattr(Learner, "step", ended("step", steps, 2, 5, 9))
    monkeypatch.setattr(fold_training, "write_checkpoint", ended("write", write, 2, 6))
    ends = 0
    while True:
        try:
            parts = run(config(tmp_path, "learning.learning_rate=0.05", out="parts", **options))
            break
        except KilledError:
            ends += 1
            if ends == 1:
                (tmp_path / "parts" / "fold_0" / ".checkpoint.123.pth").touch()  # as if a file was being written
    assert ends == 5
    assert list(parts.rglob(".*")) == []
    assert (parts / "predictions.csv").read_bytes() == (whole / "predictions.csv").read_bytes()
    for fold in range(3):
        one, other = (folder / f"fold_{fold}" for folder in (whole, parts))
        assert (one / "outcome.json").read_bytes() == (other / "outcome.json").read_bytes()
        weights = [read_checkpoint(each / "model.pth").weights for each in (one, other)]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
        assert not (other / "checkpoint.pth").exists()


def test_workers_change_nothing(make_clips, tmp_path):
    make_clips(tmp_path, train=2, test=1)
    none, two = (run(config(tmp_path, out=f"w{workers}", workers=workers)) for workers in (0, 2))
    assert (none / "predictions.csv").read_bytes() == (two / "predictions.csv").read_bytes()


def test_accumulated_batches_are_one_step(make_clips, tmp_path):
    """Without anything drawn for a batch, three batches of two are a batch of six."""
    make_clips(tmp_path, train=2, test=1)
    plain = ("mixing.mixup=0", "mixing.cutmix=0", "learning.drop_path=0", "learning.learning_rate=0.05")
    parts = [run(config(tmp_path, *plain, f"learning.batch_size={size}", f"learning.accumulate={count}", out=f"{size}"))
             for size, count in ((6, 1), (2, 3))]  # fmt: skip
    one, other = (predictions(folder).filter(like="probability_").to_numpy() for folder in parts)
    assert one == pytest.approx(other, abs=1e-5)
    assert np.abs(one - 1 / 3).max() > 1e-3, "something was learnt"


def test_a_batch_of_one(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    folder = run(config(tmp_path, "learning.batch_size=1"))
    assert np.isfinite(predictions(folder).filter(like="probability_").to_numpy()).all()


def test_clips_that_cannot_be_read_are_counted_and_said(make_clips, tmp_path):
    make_clips(tmp_path, train=2, test=1)
    for name in ("train_00", "test_01"):
        for picture in (tmp_path / name).iterdir():
            picture.write_bytes(b"no picture")
    folder = run(config(tmp_path))
    assert metrics(folder)["unreadable"] == {"train": 1, "validation": 0, "test": 1}
    failures = pd.read_csv(folder / "failures.csv")
    assert failures["name"].tolist() == ["test_01", "train_00"]
    assert set(failures["status"]) == {"unreadable"}
    row = predictions(folder).set_index("name").loc["test_01"]
    assert row["without_features"]
    assert row[["probability_angry", "probability_happy", "probability_sad"]].tolist() == pytest.approx([1 / 3] * 3)
    assert metrics(folder)["test"]["test"]["clips"] == 3
    assert "1 of train, 1 of test" in summary_lines(folder)[-1]


@pytest.mark.parametrize(("size", "count"), [(6, 1), (2, 3)])
def test_clips_that_cannot_be_read_make_no_gradient_smaller(make_clips, tmp_path, monkeypatch, size, count):
    """That of a step is the mean over the clips that can be read, as if the others were not there."""
    make_clips(tmp_path, train=2, test=1)
    found, step = [], Learner.step

    def kept(learner, *arguments):
        step(learner, *arguments)
        found.append([state["exp_avg"] / 0.1 for state in learner.optimizer.state_dict()["state"].values()])

    monkeypatch.setattr(Learner, "step", kept)
    plain = (
        "learning.epochs=1",
        "learning.drop_path=0",
        "mixing.mixup=0",
        "mixing.cutmix=0",
        "augmentation.gain=never",
    )
    for picture in (tmp_path / "train_00").iterdir():
        picture.write_bytes(b"no picture")
    run(config(tmp_path, *plain, f"learning.batch_size={size}", f"learning.accumulate={count}", out="broken"))
    table = pd.read_csv(tmp_path / "clips.csv")
    table[table["name"] != "train_00"].to_csv(tmp_path / "clips.csv", index=False)
    run(config(tmp_path, *plain, "learning.batch_size=6", out="without"))
    assert len(found) == 2
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


def test_if_no_clip_can_be_read_it_ends(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    for picture in tmp_path.glob("train_*/*.png"):
        picture.write_bytes(b"")
    with pytest.raises(UserError, match="None of 3 training clips can be read; the first"):
        run(config(tmp_path))


def test_the_best_epoch_is_kept_and_its_weights_predict(make_clips, tmp_path):
    make_clips(tmp_path, train=3, val=2, test=2)
    options = ("learning.epochs=4", "learning.learning_rate=0.1")
    folder = run(config(tmp_path, *options, select="best"))
    outcome = json.loads((folder / "all" / "outcome.json").read_text())
    scores = [epoch["score"] for epoch in outcome["history"]]
    assert outcome["epoch"] == scores.index(max(scores)) + 1
    assert metrics(folder)["selection"] == "best epoch on validation clips; the clips that are scored are untouched"
    loaded = load_checkpoint(folder / "all" / "model.pth")
    assert loaded.report.family == "videomae"
    size = autoencoders.get("videomae").sizes["tiny-test"]
    assert loaded.size._replace(decoder=size.decoder) == size
    assert not loaded.report.new
    clip = PictureFolder("test_00", tmp_path / "test_00", None)
    seen = resized(clip.pictures(view_frames(4, 4)[0].frames), 64)
    with torch.no_grad():
        said = loaded.network.eval()({"video": as_input(seen)[None]}).logits.softmax(dim=1)[0]
    row = predictions(folder).set_index("name").loc["test_00"]
    assert row.filter(like="probability_").tolist() == pytest.approx(said.tolist(), abs=1e-6)


def test_the_choice_of_the_release_is_labelled(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    found = metrics(run(config(tmp_path, select="release")))
    assert found["protocol"] == "released"
    assert found["selection"] == "best epoch on the very clips that are scored, as released; for comparison only"


def test_sound_and_pictures_from_lists(make_clips, tmp_path):
    """HiCMAE on the authors' lists, both streams and either; the gain of the release reaches what is scored."""
    make_clips(tmp_path, train=1, test=1)
    generator = np.random.default_rng(0)
    for split in ("train", "test"):
        lines = []
        for number in range(3):
            name = f"{split}_{number:02d}"
            soundfile.write(tmp_path / f"{name}.wav", generator.normal(0, 0.1, 16000), 16000)
            lines.append(f"{name} {name}.wav {number}\n")
        (tmp_path / f"{split}.csv").write_text("".join(lines))
    lists = [str(tmp_path / "train.csv"), str(tmp_path / "test.csv")]
    options = {"corpus": None, "lists": lists, "classes": ["red", "green", "blue"], "model": "hicmae"}
    shares = {}
    for name, more, settings in [
        ("both", {}, []),
        ("video", {"streams": ["video"]}, []),
        ("audio", {"streams": ["audio"]}, []),
        ("unmixed", {"streams": ["audio"]}, ["mixing.sound=false"]),
        ("released", {}, ["augmentation.gain=always", "mixing.sound=false"]),
    ]:
        folder = run(config(tmp_path, "learning.learning_rate=0.05", *settings, out=name, **options, **more))
        table = predictions(folder)
        assert table["true_emotion"].tolist() == ["red", "green", "blue"]
        assert not table["without_features"].any()
        shares[name] = table.filter(like="probability_").to_numpy()
        assert np.isfinite(shares[name]).all()
    assert len({values.tobytes() for values in shares.values()}) == 5


def test_values(make_clips, tmp_path):
    make_clips(tmp_path, train=3, test=2)
    folder = run(config(tmp_path, "learning.loss=ccc", values=["valence"]))
    found, table = metrics(folder), predictions(folder)
    error = (table["valence"] - table["true_valence"]).abs().mean()
    assert found["test"]["test"]["scores"]["mae"] == pytest.approx(error, rel=1e-6)
    assert found["score_name"] == "mean CCC"
    assert found["test"]["test"]["scores"]["score"] == found["test"]["test"]["scores"]["ccc"]


def test_from_pretraining(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    kind = autoencoders.get("mae-dfer")
    before = kind.pretraining(kind.sizes["tiny-test"])
    torch.save({"model": before.state_dict()}, tmp_path / "pretrained.pth")
    tiny = {"checkpoint": tmp_path / "pretrained.pth", "model": "mae-dfer", "size": "tiny-test"}
    with pytest.raises(UserError, match="--size tiny-test is of no --model"):
        run(config(tmp_path, out="sized", **tiny | {"model": None}))
    for option in ("network.nothing=1", "network.form=1"):
        with pytest.raises(UserError, match="option"):
            run(config(tmp_path, option, out=option, **tiny))
    folder = run(config(tmp_path, "learning.learning_rate=1e-20", **tiny))
    torch.save({"model": kind.pretraining(kind.sizes["tiny-test"]).state_dict()}, tmp_path / "pretrained.pth")
    with pytest.raises(UserError, match="other clips, labels or weights"):
        run(config(tmp_path, "learning.learning_rate=1e-20", **tiny))
    after = read_checkpoint(folder / "all" / "model.pth").weights
    name = "blocks.1.first_attn.proj.weight"
    assert torch.allclose(after[name], before.state_dict()[f"encoder.{name}"])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_shorter_numbers(make_clips, tmp_path, dtype):
    make_clips(tmp_path, train=1, test=1)
    shares = [
        predictions(run(config(tmp_path, out=kind, dtype=kind))).filter(like="probability_").to_numpy()
        for kind in ("float32", dtype)
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert (shares[0] != shares[1]).any()


def test_other_settings_are_refused_in_the_same_folder(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    first = (run(config(tmp_path)) / "predictions.csv").read_bytes()
    with pytest.raises(UserError, match="holds a run with other settings"):
        run(config(tmp_path, seed=1))
    assert (run(config(tmp_path, seed=1), overwrite=True) / "predictions.csv").read_bytes() != first


@pytest.mark.parametrize("kept", ["outcome.json", "checkpoint.pth"])
def test_changed_clips_are_refused_in_the_same_folder(make_clips, tmp_path, monkeypatch, kept):
    """Of a fold that is done, or only begun: rows in another order, one more clip, another label."""
    make_clips(tmp_path, train=2, test=2)
    with monkeypatch.context() as patch:
        if kept == "checkpoint.pth":
            patch.setattr(fold_training.FoldTraining, "_finish", ended_before)
            with pytest.raises(KilledError):
                run(config(tmp_path))
        else:
            run(config(tmp_path))
    assert (tmp_path / "run" / "all" / kept).exists()
    table = pd.read_csv(tmp_path / "clips.csv")
    swapped = table.assign(emotion=[*table["emotion"][:-2], *table["emotion"][:-3:-1]])
    for other in (table[::-1], table.drop(index=1), table.drop(index=11), swapped):
        other.to_csv(tmp_path / "clips.csv", index=False)
        with pytest.raises(UserError, match="other clips, labels or weights"):
            run(config(tmp_path))
    run(config(tmp_path), overwrite=True)
    assert predictions(tmp_path / "run")["true_emotion"].tolist() == swapped["emotion"][6:].tolist()


def ended_before(*_):
    raise KilledError


def test_predictions_are_found_by_name(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=2)
    before = predictions(run(config(tmp_path)))
    path = tmp_path / "run" / "all" / "outcome.json"
    outcome = json.loads(path.read_text())
    outcome |= {key: outcome[key][::-1] for key in ("names", "said")}
    path.write_text(json.dumps(outcome))
    pd.testing.assert_frame_equal(predictions(run(config(tmp_path))), before)


def test_settings_that_are_no_yaml_are_refused(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    run(config(tmp_path))
    (tmp_path / "run" / "config.yaml").write_text("model: [")
    with pytest.raises(UserError, match="settings that cannot be read"):
        run(config(tmp_path))


def test_mistakes(make_clips, tmp_path):
    make_clips(tmp_path, train=1, test=1)
    for wrong, said in [
        ({"size": "huge"}, "no size 'huge'"),
        ({"streams": ["audio"]}, "no stream 'audio'"),
        ({"network": {"nothing": 1}}, "options of the network"),
        ({"cache": tmp_path}, "No faces at"),
    ]:
        with pytest.raises(UserError, match=said):
            run(config(tmp_path, out=f"o{len(said)}", **wrong))

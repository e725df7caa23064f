"""Whole pretrainings: resumed, with clips that cannot be used, and what they leave in their folders."""

import csv
import itertools
import logging
import multiprocessing
import os
import signal

import cv2
import numpy as np
import pytest
import torch

from baseline.pretraining import run
from baseline.pretraining.checkpoint import checkpoint_path, last_checkpoint, read_own
from baseline.pretraining.run import Pretrainer, pretrain
from baseline.pretraining.team import Team
from baseline.pretraining.training import Training
from toolkit.errors import UserError


def killed(settings, doings, owner, name, call):
    """Pretrains in a process of its own, which is killed when a function is called for the so-manieth time."""

    def pretrain_and_die():
        act, calls = getattr(owner, name), itertools.count(1)

        def instead(*arguments):
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*arguments)

        setattr(owner, name, instead)
        pretrain(settings, doings)

    process = multiprocessing.get_context("fork").Process(target=pretrain_and_die)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.usefixtures("one_thread")
def test_killed_and_resumed_gives_the_same_curve_and_weights(quickly, tmp_path, read_weights, caplog):
    """Killed before the first checkpoint, in an epoch after one, while one is written, and after the next one."""
    settings, whole = quickly(model="mae-dfer", epochs=6, out=tmp_path / "whole", save_every=2)
    rows = pretrain(settings, whole)
    assert [row["steps"] for row in rows] == [3] * 6
    settings, doings = quickly(model="mae-dfer", epochs=6, out=tmp_path / "killed", save_every=2, workers=1)
    ends = [(Training, "_step", 5, None), (Training, "_step", 8, 1), (os, "fsync", 1, 1), (Training, "_step", 8, 3)]
    for owner, name, call, epoch in ends:
        killed(settings, doings, owner, name, call)
        expected = None if epoch is None else checkpoint_path(doings.out, epoch)
        assert last_checkpoint(doings.out) == expected
        assert len(list(doings.out.glob(".checkpoint-*"))) == (owner is os), "what was being written"
    with caplog.at_level(logging.INFO):
        assert pretrain(settings, doings) == rows
    assert f"going on after {expected}" in caplog.text
    curves = [(folder / "curve.csv").read_bytes() for folder in (whole.out, doings.out)]
    assert curves[0] == curves[1]
    one, other = (read_weights(folder / "checkpoint-5.pth") for folder in (whole.out, doings.out))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.usefixtures("one_thread")
def test_killed_while_the_last_page_is_written_it_is_written_again(quickly):
    settings, doings = quickly(page_every=3)
    killed(settings, doings, run, "write_page", 1)
    assert last_checkpoint(doings.out) == checkpoint_path(doings.out, 1)
    pretrain(settings, doings)
    assert sorted(path.name for path in doings.out.rglob("*.png")) == ["curve.png", "epoch-0002.png"]


@pytest.mark.usefixtures("one_thread")
def test_clips_that_failed_before_the_end_are_not_forgotten(quickly, tmp_path):
    """Four of seven clips make an epoch: with this seed the silent one comes in the first two, not in the third."""
    listed = []
    for folder in ("whole", "killed"):
        settings, doings = quickly(model="hicmae", batch=4, seed=4, out=tmp_path / folder)
        if folder == "killed":
            killed(settings, doings, Pretrainer, "_epoch", 3)
        pretrain(settings, doings)
        listed.append((doings.out / "failures.csv").read_text(encoding="utf-8"))
    assert listed[0].count("clip_5,silent") == 1
    assert listed[1] == listed[0]


def test_resumed_after_every_epoch(quickly, tmp_path):
    settings, whole = quickly(out=tmp_path / "whole")
    rows = pretrain(settings, whole)
    for last in (0, 1):
        folder = tmp_path / f"from_{last}"
        folder.mkdir()
        (folder / ".checkpoint-2.123.pth").write_bytes(b"what a killed run was writing")
        (folder / "config.yaml").write_bytes((whole.out / "config.yaml").read_bytes())
        (folder / f"checkpoint-{last}.pth").write_bytes((whole.out / f"checkpoint-{last}.pth").read_bytes())
        assert pretrain(*quickly(out=folder)) == rows
        assert list(folder.glob(".*")) == []


def test_a_finished_run_is_not_done_again(quickly, caplog):
    settings, doings = quickly()
    rows = pretrain(settings, doings)
    written = (doings.out / "checkpoint-2.pth").stat().st_mtime_ns
    with caplog.at_level(logging.INFO):
        assert pretrain(settings, doings) == rows
    assert "all 3 epochs are done" in caplog.text
    assert (doings.out / "checkpoint-2.pth").stat().st_mtime_ns == written


def test_another_run_in_the_folder_is_refused_or_lost_on_demand(quickly):
    pretrain(*quickly())
    with pytest.raises(UserError, match="holds a pretraining with epochs 3, not 4"):
        pretrain(*quickly(epochs=4))
    assert len(pretrain(*quickly(epochs=4, overwrite=True))) == 4


def test_other_clips_are_refused(quickly, face_clips):
    path = face_clips / "changing.csv"
    rows = [f"clip_{number},clip_{number}.mp4" for number in (0, 1, 2, 4)]
    path.write_text("\n".join(["name,video", *rows]), encoding="utf-8")
    given = {"corpus": [str(path)], "source": "video"}
    pretrain(*quickly(**given))
    (quickly()[1].out / "checkpoint-2.pth").unlink()
    path.write_text("\n".join(["name,video", *rows[1:]]), encoding="utf-8")
    with pytest.raises(UserError, match="was trained on other clips"):
        pretrain(*quickly(**given))


class TwoTeams(Team):
    """Stands for two processes, of which the other found another curve."""

    def gathered(self, things):
        return [*things, [{"loss": 1.0}]]


def test_processes_that_find_other_checkpoints_are_refused(quickly, monkeypatch):
    settings, doings = quickly()
    monkeypatch.setattr("baseline.pretraining.run.assemble", TwoTeams)
    with pytest.raises(UserError, match="do not find the same checkpoint"):
        pretrain(settings, doings)


def test_another_number_of_processes_is_said(quickly, caplog):
    settings, doings = quickly()
    pretrain(settings, doings)
    (doings.out / "checkpoint-2.pth").unlink()
    state = read_own(doings.out / "checkpoint-1.pth")
    assert state["args"].processes == 1
    state["args"].processes = 4
    torch.save(state, doings.out / "checkpoint-1.pth")
    pretrain(settings, doings)
    assert "is of 4 processes, not 1" in caplog.text


def test_clips_that_cannot_be_used_are_counted_once(quickly, caplog):
    settings, doings = quickly(model="hicmae", batch=3)
    with caplog.at_level(logging.INFO):
        rows = pretrain(settings, doings)
    assert all(np.isfinite(row["loss"]) for row in rows)
    assert caplog.text.count("1 clips are left out: 1 no_face") == 1
    assert caplog.text.count("clips that cannot be read, others in their place: 1 no_face, 1 silent") == 1
    with (doings.out / "failures.csv").open(newline="", encoding="utf-8") as file:
        assert [(row["name"], row["status"]) for row in csv.DictReader(file)] == [
            ("clip_3", "no_face"),
            ("clip_5", "silent"),
        ]


def test_videos_of_which_one_is_unreadable(quickly, caplog):
    settings, doings = quickly(source="video", batch=8, epochs=2)
    with caplog.at_level(logging.INFO):
        pretrain(settings, doings)
    assert caplog.text.count("1 unreadable") == 1


def test_one_clip_and_a_batch_larger_than_the_corpus(quickly, face_clips, caplog):
    (face_clips / "one.csv").write_text("name,video\nclip_0,clip_0.mp4\n", encoding="utf-8")
    settings, doings = quickly(corpus=[str(face_clips / "one.csv")], source="video", batch=4, epochs=2)
    with caplog.at_level(logging.INFO):
        rows = pretrain(settings, doings)
    assert [row["steps"] for row in rows] == [1, 1]
    assert "fewer clips than a batch" in caplog.text


def test_a_batch_that_cannot_be_shared_is_refused(quickly):
    with pytest.raises(UserError, match="--batch that 3 divides"):
        pretrain(*quickly(batch=4, accumulate=3))


def test_what_the_folder_holds(quickly):
    settings, doings = quickly(save_every=2, page_every=3)
    rows = pretrain(settings, doings)
    found = sorted(str(path.relative_to(doings.out)) for path in doings.out.rglob("*") if path.is_file())
    assert found == [
        "checkpoint-1.pth", "checkpoint-2.pth", "config.yaml", "curve.csv", "curve.png", "environment.json",
        "failures.csv", "reconstructions/epoch-0002.png",
    ]  # fmt: skip
    with (doings.out / "curve.csv").open(newline="", encoding="utf-8") as file:
        read = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert read == rows, "to the last digit"
    page = cv2.imread(str(doings.out / "reconstructions/epoch-0002.png"))
    assert page.shape[1] == 1200
    assert page.std() > 30

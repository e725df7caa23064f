"""The command ``pretrain``."""

from typer.testing import CliRunner

from baseline.cli import app
from toolkit.errors import UserError


def run(*words):
    return CliRunner().invoke(app, ["pretrain", *map(str, words)])


def test_options_reach_the_settings(face_clips, tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr(
        "baseline.pretraining.run.pretrain", lambda *a: got.append(a) or [{"loss": 0.5, "patch_mean": 1}]
    )
    done = run(
        "--model", "svfap", "--corpus", face_clips / "clips.csv", "--corpus", "demo:x", "--out", tmp_path / "run",
        "--source", "video", "--window", "32,0,160,160", "--betas", "0.8,0.9", "--dtype", "bfloat16",
        "--set", "context=release", "--mask-ratio", "0.8", "--save-every", "7",
    )  # fmt: skip
    assert done.exit_code == 0, done.exception
    (settings, doings), *_ = got
    assert (settings.window, settings.betas, settings.dtype) == ((32, 0, 160, 160), (0.8, 0.9), "bfloat16")
    assert (settings.network, settings.mask_ratio, settings.source) == ({"context": "release"}, 0.8, "video")
    assert len(settings.corpus) == 2
    assert (doings.save_every, doings.out) == (7, tmp_path / "run")
    assert "loss 0.5000" in done.stdout


def test_mistakes_are_named(face_clips, tmp_path):
    base = ("--model", "svfap", "--corpus", face_clips / "clips.csv", "--out", tmp_path / "run")
    for words, message in (
        (("--epochs", 0), "Setting 'epochs' in the command line is 0"),
        (("--window", "1,2"), "'window.2' in the command line"),
        (("--window", "-1,0,9,9"), "expected LEFT,TOP,WIDTH,HEIGHT"),
        (("--set", "context"), "Expected KEY=VALUE"),
        (("--set", "context=[", "--source", "video"), "context=[: expected bottleneck or release"),
        ((), "--cache DIR"),
    ):
        done = run(*base, *words)
        assert isinstance(done.exception, UserError)
        assert message in str(done.exception)

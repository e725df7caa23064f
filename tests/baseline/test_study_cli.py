"""The commands that train many networks: their options, and a mistake in one line with exit code 2."""

import sys

import pytest

from baseline.cli import run
from baseline.sampler import SAMPLERS
from baseline.study_cli import SamplerName


@pytest.fixture
def call(monkeypatch, capsys, quick, tmp_path):
    """Runs a command line on the tiny corpus; gives exit code, standard output and standard error."""
    common = [
        "--track", "multi", "--corpus", tmp_path / "tiny.csv", "--cache", tmp_path / "cache", "--folds", "3",
        "--out", tmp_path / "runs",
    ]  # fmt: skip

    def call(command, *arguments):
        monkeypatch.setattr(sys, "argv", ["baseline", command, *map(str, [*arguments, *common])])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, *capsys.readouterr()

    return call


def test_samplers_are_those_that_there_are():
    assert tuple(SamplerName) == SAMPLERS


def test_search(call, tmp_path):
    (tmp_path / "space.yaml").write_text("network.hidden: [4, 8]\ntraining.learning_rate: [1e-2, 1e-3]\n")
    options = ["--features", "voice", "face", "--model", "mlp", "--trials", 2, "--space", tmp_path / "space.yaml"]
    code, out, error = call("search", *options, "--set", "training.epochs=2", "network.hidden=6")
    assert code == 0, error
    lines = out.splitlines()
    assert lines[0].startswith(f"2 combinations, all there are, drawn at random from the ranges of {tmp_path}")
    assert lines[1].startswith("best, by a merit of ")
    assert "hidden" not in lines[1], "what --set gives is not searched"
    assert lines[-1] == str(tmp_path / "runs/multi/mlp-voice+face-seed0-best")


def test_rank_and_topn(call, tmp_path):
    options = ["--model", "mlp", "--set", "training.epochs=2", "network.hidden=4"]
    code, out, error = call("rank", *options)
    assert code == 0, error
    assert out.splitlines()[-1] == str(tmp_path / "runs/rank/multi/mlp-all-seed0/ranking.svg")
    ranking = tmp_path / "runs/rank/multi/mlp-all-seed0/ranking.csv"
    code, out, error = call("topn", *options, "--ranking", ranking, "--fusion", "AV", "AT", "--most", 1)
    assert code == 0, error
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [["AV", "1"], ["AT", "1"]]
    assert out.splitlines()[-1] == str(tmp_path / "runs/topn/multi/mlp-all-seed0/fusion.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--features", "nose"], "No cache of 'nose'"),
        (["search", "--features", "voice", "--model", "atention"], "Unknown network 'atention'. Did you mean"),
        (["search", "--features", "voice", "--space", "none.yaml"], "none.yaml cannot be read as ranges"),
        (["topn", "--ranking", "none.csv"], "none.csv cannot be read as a ranking"),
        (["rank", "--set", "training.epoch=2"], "Unknown setting 'training.epoch' in the command line. Did you mean"),
    ],
)
def test_mistakes(call, arguments, message):
    code, out, error = call(*arguments)
    assert (code, out) == (2, "")
    assert error.splitlines()[-1].startswith("error: ")
    assert message in error

"""The command line around finished runs: what it prints, and a user's mistake in one line with exit code 2."""

import json
import sys

import pytest

from baseline.cli import run


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs a command line; gives exit code, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["baseline", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, *capsys.readouterr()

    return call


def test_report_is_made_again(call, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"track": "multi", "validation": {"score": {"mean": 0.25}}}))
    code, out, _ = call("report", tmp_path)
    assert (code, out) == (0, f"{tmp_path / 'report.html'}\n")
    assert '<data value="0.25">0.250</data>' in (tmp_path / "report.html").read_text("utf-8")


def test_report_of_no_run(call, tmp_path):
    code, out, error = call("report", tmp_path)
    assert (code, out) == (2, "")
    assert error == (
        f"error: {tmp_path} has no metrics.json. Expected the directory of a finished run, such as RUNS/multi/NAME.\n"
    )


def test_predict_with_no_run(call, tmp_path):
    code, out, error = call("predict", "--run", tmp_path, "talk.mp4")
    assert (code, out) == (2, "")
    assert error.startswith(f"error: {tmp_path} has no model.safetensors")
    assert error.count("\n") == 1


def test_predict_to_a_file_of_another_kind(call, tmp_path):
    code, _, error = call("predict", "--run", tmp_path, "talk.mp4", "--out", tmp_path / "table.xlsx")
    assert code == 2
    assert "Expected a name ending with .json or .csv." in error


def test_predict_to_a_missing_folder(call, tmp_path):
    code, _, error = call("predict", "--run", tmp_path, "talk.mp4", "--out", tmp_path / "a" / "table.csv")
    assert code == 2
    assert f"There is no folder {tmp_path / 'a'} to write table.csv to." in error


def test_predict_without_a_run(call):
    code, _, error = call("predict", "talk.mp4")
    assert code == 2
    assert "--run" in error


def test_help_names_the_commands(call):
    code, out, _ = call("--help")
    assert code == 0
    assert "predict" in out
    assert "report" in out

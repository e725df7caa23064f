"""Runs side by side."""

import json

import pytest

from baseline.run_table import table_of_runs
from toolkit.errors import UserError


def write(folder, **metrics):
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_rows(tmp_path):
    validation = {"score": {"mean": 0.5, "std": 0.03125}}
    multi = write(
        tmp_path / "first",
        track="multi",
        score_name="WAF - 0.25 MSE",
        seconds=90,
        validation=validation,
        test={"test_semi": {"scores": {"score": 0.1}}, "test_multi": {"scores": {"accuracy": 0.9, "score": 0.625}}},
    )
    (multi / "submission.csv").write_text("name\n")
    one_fold = {"score": {"mean": 0.25}}
    semi = write(tmp_path / "second", track="semi", validation=one_fold, test={"test_semi": {"clips": 0, "scores": {}}})
    head, first, second = (line.split("  ") for line in table_of_runs([multi, semi]))
    cells = [[cell.strip() for cell in line if cell.strip()] for line in (head, first, second)]
    assert cells[0] == ["track", "run", "score", "folds", "test", "split", "minutes", "submission"]
    assert cells[1] == [
        *("multi", "first", "WAF - 0.25 MSE", "0.5000 ± 0.0312", "0.6250", "test_multi", "1.5"),
        str(multi / "submission.csv"),
    ]
    assert cells[2] == ["semi", "second", "score", "0.2500", "-", "-", "-", "-"]


def test_other_protocol_is_said(tmp_path):
    honest = write(tmp_path / "ours", track="semi", protocol="honest", test={})
    theirs = write(tmp_path / "theirs", track="semi", protocol="mertools", test={})
    assert "protocol" not in table_of_runs([honest])[0]
    lines = [line.split()[:3] for line in table_of_runs([honest, theirs])]
    assert lines == [["track", "run", "protocol"], ["semi", "ours", "honest"], ["semi", "theirs", "mertools"]]


def test_folder_that_is_no_run(tmp_path):
    with pytest.raises(UserError, match=r"has no metrics.json"):
        table_of_runs([tmp_path])

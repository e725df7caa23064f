"""The command as it is typed, and what it leaves for the other commands."""

import re

import pytest
from typer.testing import CliRunner

from baseline.cli import app
from baseline.fine_tuning.command import MANY
from toolkit.console import spread
from toolkit.errors import UserError


def typed(line):
    result = CliRunner().invoke(app, spread(line.split(), MANY), catch_exceptions=True)
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_it_is_typed_and_compared(make_clips, tmp_path, monkeypatch):
    make_clips(tmp_path, train=2, test=2)
    begin = f"finetune --model videomae --size tiny-test --corpus {tmp_path}/clips.csv --device cpu"
    short = "--epochs 1 --batch-size 6 --accumulate 1 --learning-rate 0.01"
    said = typed(f"{begin} {short} --set mixing.mixup=0 mixing.cutmix=0 --out {tmp_path}/a")
    assert re.search(r"clips of +number +UAR +WAR", said)
    assert "the last epoch; the clips that are scored are untouched" in said
    assert (tmp_path / "a" / "report.html").exists()
    monkeypatch.setattr("baseline.report.write_report", lambda folder: folder)  # slow, and seen once
    typed(f"{begin} {short} --seed 1 --out {tmp_path}/b")
    table = typed(f"table {tmp_path}/a {tmp_path}/b")
    assert table.count("finetune") == 2
    compared = typed(f"compare {tmp_path}/a {tmp_path}/b")
    assert {"accuracy", "unweighted_recall", "weighted_f1"} <= set(compared.split())
    again = typed(f"finetune --config {tmp_path}/a/config.yaml")
    assert again == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--model videomae --out x", "either --corpus REF or --lists TRAIN TEST"),
        ("--corpus c.csv --out x", "--model NAME, --checkpoint FILE or both"),
        ("--model videomae --corpus c.csv", "Setting 'out'"),
        ("--model videomae --corpus c.csv --out x --set learning.epoch=3", "Did you mean 'epochs'"),
        ("--model videomae --lists a.csv --out x", "Setting 'lists'"),
    ],
)
def test_mistakes_are_named(line, said):
    with pytest.raises(UserError, match=re.escape(said)):
        typed(f"finetune {line}")

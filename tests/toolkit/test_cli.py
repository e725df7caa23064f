"""The commands: what they print, and a user's mistake in a line or two with exit code 2."""

import sys
from typing import get_args

import pytest

from toolkit.cli import Scale, TrackName, run
from toolkit.demo import plan
from toolkit.submission import COLUMNS

CORPUS = "name,text,emotion,split\na,hi,happy,train\nb,yo,sad,test_semi\nc,oh,happy,test_semi\n"
GOOD = "name,discrete\nb,sad\nc,happy\n"


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Runs a command line in a folder with a corpus and a prediction; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips.csv").write_text(CORPUS)
    (tmp_path / "good.csv").write_text(GOOD)

    def call(line):
        monkeypatch.setattr(sys, "argv", ["toolkit", *line.split()])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, *capsys.readouterr()

    return call


def test_choices_are_those_of_the_library():
    assert tuple(track.value for track in TrackName) == tuple(COLUMNS)
    assert tuple(scale.value for scale in Scale) == get_args(plan.Scale)


def test_valid_submission(call):
    code, out, _ = call("submission validate good.csv --track semi --corpus clips.csv --split test_semi")
    assert (code, out) == (0, "good.csv: valid for track semi\n")


def test_score(call):
    code, out, _ = call("score --track semi --truth good.csv --prediction good.csv")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [["weighted_f1", "1"], ["accuracy", "1"], ["score", "1"]]


def test_corrupted_texts_are_a_corpus(call, tmp_path):
    code, out, _ = call("corrupt --corpus clips.csv --out noisy --split train test_semi --snr -5 -5 --blur 1 2")
    assert (code, out) == (0, "corrupted corpus: noisy/corpus.csv\n")
    assert len((tmp_path / "noisy" / "manifest.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("demo --out good.csv --scale tiny", "good.csv has other things in it"),
        ("demo --out good.csv/demo --scale tiny", "good.csv/demo/video cannot be used: Not a directory. Expected"),
        ("demo --out new --scale tiny --seed -1", "Invalid value for '--seed'"),
        ("demo --out new --scale huge", "Invalid value for '--scale'"),
        ("corrupt --corpus clips.csv --out good.csv", "good.csv cannot be used: File exists. Expected a file"),
        ("corrupt --corpus clips.csv --out new --snr 5", "'--snr' requires 2 arguments"),
        ("corrupt --corpus clips.csv --out new --snr 10 5", "The SNR range is 10 to 5 dB"),
        ("corrupt --corpus clips.csv --out new --snr -9999 -9999", "all within -100 to 100"),
        ("corrupt --corpus clips.csv --out new --blur 3", "The blur factors are [3]"),
        ("corrupt --corpus clips.csv --out new --split test", "has no split 'test'. It has: train, test_semi."),
        ("corrupt --corpus clip.csv --out new", "There is no file clip.csv. Did you mean 'clips.csv'?"),
        ("corrupt --corpus clips.csv --out new --noises nowhere", "There is no folder nowhere"),
        ("cache info nothing.h5", "No cache at nothing.h5"),
        ("cache verify good.csv", "good.csv is not a readable cache"),
        ("submission validate none.csv --track semi --corpus clips.csv", "There is no file none.csv"),
        ("submission validate good.csv --track multi --corpus clips.csv", "Corpus 'clips' has no split test_multi"),
        ("submission validate good.csv --track best --corpus clips.csv", "Invalid value for '--track'"),
        ("score --track ov --truth good.csv --prediction good.csv", "no column 'openset'. It has: name, discrete."),
        ("score --track semi --truth clips.csv --prediction good.csv", "1 clips have no prediction, the first is 'a'"),
        ("score --track semi --truth good.csv --prediction good.csv --groups g.json", "belong to track ov"),
        ("score --track semi --truth good.csv", "Missing option '--prediction'"),
        ("nonsense", "No such command 'nonsense'"),
    ],
)  # fmt: skip
def test_mistakes(call, tmp_path, line, message):
    code, out, err = call(line)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in out + err
    assert not (tmp_path / "new").exists()

"""The command line: what it prints, and mistakes in one line with exit code 2."""

import sys

import numpy as np
import pytest

from toolkit.cache import Cache
from toolkit.cache_import.origin import LEVELS
from toolkit.cache_import.spec import MODALITIES
from toolkit.cli import LevelName, ModalityName, run


@pytest.fixture
def call(monkeypatch, capsys, tmp_path, save):
    """Runs ``toolkit cache import`` in a folder with a corpus and features; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips.csv").write_text("name,text\na,hi\nb,yo\nc,oh\n")
    save("hubert-UTT", a=np.ones(3), b=np.ones(4), z=np.ones(3))
    save("hubert-FRA", a=np.ones((2, 3)))

    def call(line):
        monkeypatch.setattr(sys, "argv", ["toolkit", "cache", "import", *line.split()])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code, *capsys.readouterr()

    return call


def test_choices_are_those_of_the_library():
    assert tuple(level.value for level in LevelName) == LEVELS
    assert tuple(modality.value for modality in ModalityName) == MODALITIES


def test_what_is_printed(call, tmp_path):
    code, out, _ = call("--from hubert-UTT --corpus clips.csv --modality audio --encoder hubert --cache work")
    assert code == 0
    assert out.splitlines() == [
        "work/clips/audio/hubert.h5: 3 clips, 1 ok, 2 failed",
        "1 unreadable, such as 'b': has 4 numbers per frame, the others have 3",
        "1 missing, such as 'c': hubert-UTT has nothing for it",
        "left out, because no clip of 'clips' is called so: 'z'",
    ]
    assert Cache(tmp_path / "work" / "clips" / "audio" / "hubert.h5").spec["checkpoint"] == "imported:hubert-UTT"


def test_frame_rate(call, tmp_path):
    code, _, _ = call("--from hubert-FRA --corpus clips.csv --modality audio --encoder h --cache work --rate 50")
    assert code == 0
    cache = Cache(tmp_path / "work" / "clips" / "audio" / "h.frames.h5")
    np.testing.assert_allclose(cache.ragged("frames/time", "a"), [0.01, 0.03])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--from gone --encoder h", "gone is not there"),
        ("--from hubert-UTT --encoder a/b", "The encoder's name is 'a/b'"),
        ("--from hubert-UTT --encoder h --rate 0", "The frame rate is 0 Hz"),
        ("--from hubert-UTT --encoder h --rate 9", "--rate says when the frames"),
        ("--from hubert-UTT --encoder h --level frame", "has one vector per clip"),
        ("--from hubert-UTT --encoder h --level word", "Invalid value for '--level'"),
        ("--from hubert-UTT --encoder h --key text", "--key names an array of a file"),
        ("--from hubert-UTT --encoder h --modality smell", "Invalid value for '--modality'"),
        ("--from hubert-UTT", "Missing option '--encoder'"),
    ],
)
def test_mistakes(call, tmp_path, line, message):
    code, out, error = call(f"--corpus clips.csv --modality audio --cache work {line}")
    assert code == 2
    assert message in " ".join(error.split())
    assert "Traceback" not in out + error
    assert not (tmp_path / "work").exists()

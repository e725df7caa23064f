"""The command line of stage 1, as a user types it."""

import sys
from pathlib import Path

import pytest

from feature_extraction.cli import run
from toolkit.cache import Cache

CSV = "name,text,english\na,今天很高兴,so happy today\nb,,\nc,   ,nothing to say\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three clips of words: one without a transcript, one with blanks."""
    path = tmp_path / "tiny.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, corpus: Path, tmp_path: Path):
    """Runs a command line and returns its exit code."""

    def execute(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["feature_extraction", *arguments])
        with pytest.raises(SystemExit) as end:
            run()
        return end.value.code or 0

    return execute


def test_several_encoders_in_one_command(command, corpus, tmp_path, capsys):
    arguments = [
        "text",
        "--corpus",
        str(corpus),
        "--encoder",
        "char-hash",
        "char-hash-english",
        "--cache",
        str(tmp_path),
    ]
    assert command(*arguments) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["corpus", "encoder", "clips", "ok", "failed"]
    assert out[1].split() == ["tiny", "text/char-hash", "3", "1", "2", "empty_text"]
    assert out[2].split() == ["tiny", "text/char-hash-english", "3", "2", "1", "empty_text"]
    assert out[3] == f"2 clips failed, listed in {tmp_path / 'tiny' / 'failures.csv'}"


def test_several_corpora_in_one_command(command, corpus, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text("name,text\nx,hello\n")
    files = [str(corpus), str(other)]
    assert command("text", "--corpus", *files, "--encoder", "char-hash", "--cache", str(tmp_path)) == 0
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:3]] == [
        ["tiny", "text/char-hash", "3"],
        ["other", "text/char-hash", "1"],
    ]


def test_empty_text_has_its_status(command, corpus, tmp_path):
    command("text", "--corpus", str(corpus), "--encoder", "char-hash", "--cache", str(tmp_path))
    cache = Cache(tmp_path / "tiny" / "text" / "char-hash.h5")
    assert cache.status == ["ok", "empty_text", "empty_text"]


def test_strict_ends_with_one(command, corpus, tmp_path):
    arguments = ["text", "--corpus", str(corpus), "--encoder", "char-hash", "--cache", str(tmp_path), "--strict"]
    assert command(*arguments) == 1


def test_text_corpus_has_no_audio(command, corpus, tmp_path, capsys):
    assert command("audio", "--corpus", str(corpus), "--encoder", "prosody", "--cache", str(tmp_path)) == 0
    assert "3 no_audio" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text", "--encoder", "char-hsh"], "Unknown text encoder 'char-hsh'. Did you mean 'char-hash'?"),
        (["text", "--encoder", "prosody"], "Unknown text encoder 'prosody'. The audio command runs it."),
        (["faces", "--encoder", "mtcn"], "'mtcn'"),
        (["faces", "--encoder", "mtcnn", "frames"], "--encoder takes one value here, got mtcnn, frames."),
        (
            ["text", "--encoder", "char-hash@column-englsh"],
            "Corpus 'tiny' has no column 'englsh' for 'char-hash@column-englsh'. Did you mean 'english'?",
        ),
        (["text", "--encoder", "char-hash@"], "'char-hash' has no variant ''."),
        (["text", "--encoder", "hf:./nothing"], "There is no folder ./nothing. Expected hf:FOLDER or hf:ORG/NAME."),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_two(command, corpus, tmp_path, capsys, arguments, message):
    assert command(*arguments, "--corpus", str(corpus), "--cache", str(tmp_path)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) <= 2


def test_transcribe_takes_one_corpus(command, corpus, tmp_path, capsys):
    output = tmp_path / "words.csv"
    assert command("transcribe", "--corpus", "a.csv", str(corpus), "--model", "tiny", "--output", str(output)) == 2
    assert "--corpus takes one value here, got a.csv, " in capsys.readouterr().err
    assert not output.exists()


def test_list_filters_by_words(command, capsys):
    assert command("list", "audio", "research") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "modality", "family", "numbers", "layers", "pooling", "weights", "licence"]
    assert "egemaps" in {line.split()[0] for line in lines[1:]}
    assert all("audio" in line and "research" in line for line in lines[1:])

"""From sound files to a CSV of words that a corpus reader accepts, with a tiny Whisper whose words mean nothing."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_extraction.source import SoundSource
from feature_extraction.transcription import transcribe as module
from feature_extraction.transcription.transcribe import transcribe
from feature_extraction.transcription.transcriber import Transcriber
from toolkit.corpus import Corpus, load_corpus
from toolkit.errors import UserError
from toolkit.media import Sound, write_sound

RATE = 16000
SECONDS = {"brief": 0.6, "long": 8.0, "usual": 2.2, "video": 1.3, "last": 1.0}  # the tiny model hears 3 s at once


def make_sound(seed: int, seconds: float) -> Sound:
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    voice = np.sin(2 * np.pi * (100 + 60 * seed) * time) * np.maximum(0, np.sin(2 * np.pi * (1 + seed) * time))
    return Sound((0.3 * voice + generator.normal(0, 0.01 * (1 + seed), len(time))).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def csv(tmp_path_factory) -> Path:
    """A corpus of nine clips: five with something to hear, one with words, a silent, a short and a missing one."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (name, seconds) in enumerate(SECONDS.items()):
        write_sound(folder / "clips" / f"{name}.wav", make_sound(seed, seconds))
    write_sound(folder / "clips" / "silent.wav", Sound(np.zeros(RATE, np.float32), RATE))
    write_sound(folder / "clips" / "short.wav", make_sound(9, 0.05))
    rows = [
        {"name": name, "audio": f"clips/{name}.wav", "emotion": "happy", "valence": 1.5, "speaker": "07"}
        for name in ("brief", "silent", "long", "short", "usual", "gone", "given", "video", "last")
    ]
    rows[6]["text"] = "words of its own"
    rows[7] |= {"audio": None, "video": "clips/video.wav"}
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


@pytest.fixture
def corpus(csv) -> Corpus:
    return load_corpus(str(csv))


@pytest.fixture(scope="module")
def finished(csv, tmp_path_factory) -> Path:
    """What an uninterrupted run gives."""
    path = tmp_path_factory.mktemp("finished") / "words.csv"
    return transcribe(load_corpus(str(csv)), "tiny", path, language="zh", device="cpu")


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Which clips are read, in order."""
    names: list[str] = []
    load = SoundSource.load

    def note(self, row):
        names.append(row["name"])
        return load(self, row)

    monkeypatch.setattr(SoundSource, "load", note)
    return names


def again(corpus: Corpus, path: Path, **options) -> Path:
    return transcribe(corpus, "tiny", path, **{"language": "zh", "device": "cpu"} | options)


def rows_of(path: Path) -> dict[str, str]:
    """The lines of a CSV by clip, without the folders of their paths."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[["audio", "video"]] = table[["audio", "video"]].map(lambda cell: Path(cell).name)
    return {row["name"]: row for row in table.to_dict("records")}


def test_every_clip_has_words_or_a_reason(finished, corpus):
    table = load_corpus(str(finished)).table.set_index("name")
    assert list(table.index) == list(corpus.table["name"])
    assert table["text_status"].to_dict() == {
        "brief": "ok", "silent": "silent", "long": "ok", "short": "too_short", "usual": "ok", "gone": "missing",
        "given": "ok", "video": "ok", "last": "ok",
    }  # fmt: skip
    heard = table["text_status"] == "ok"
    assert table["text"].notna().tolist() == heard.tolist()
    assert table["text_reason"].isna().tolist() == heard.tolist()
    assert table["text"]["given"] == "words of its own"
    assert table["text"][list(SECONDS)].nunique() == len(SECONDS)


def test_the_corpus_is_the_same_otherwise(finished, corpus):
    found = load_corpus(str(finished))
    assert (found.name, found.emotions, found.valence) == (corpus.name, corpus.emotions, corpus.valence)
    for column in ("emotion", "valence", "split", "speaker"):
        assert found.table[column].tolist() == corpus.table[column].tolist()
    assert found.path(found.table["audio"][0]).samefile(corpus.path(corpus.table["audio"][0]))


def test_words_are_those_of_the_clips_stretches(finished, corpus):
    transcriber = Transcriber("tiny", language="zh", device="cpu")
    source = SoundSource(corpus.root, [RATE])
    texts = load_corpus(str(finished)).table.set_index("name")["text"]
    rows = {row["name"]: row for row in corpus.table.to_dict("records")}
    for name, count in (("brief", 1), ("long", 4)):
        stretches = list(transcriber.stretches(source.load(rows[name])[RATE]))
        assert len(stretches) == count
        assert texts[name] == " ".join(" ".join(transcriber.write(stretches)).split())


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_batch_changes_nothing(finished, corpus, tmp_path, batch):
    assert rows_of(again(corpus, tmp_path / "words.csv", batch=batch)) == rows_of(finished)


def test_a_second_run_does_nothing_again(corpus, tmp_path, read, finished):
    path = again(corpus, tmp_path / "words.csv")
    before, read[:] = path.read_bytes(), []
    assert again(corpus, path).read_bytes() == before
    assert read == []


@pytest.mark.parametrize("batch", [1, 2])
def test_an_interrupted_run_goes_on(corpus, tmp_path, read, monkeypatch, finished, batch):
    path = tmp_path / "words.csv"
    write, calls = Transcriber.write, []

    def interrupted(self, stretches):
        calls.append(len(stretches))
        if len(calls) > 4 // batch:
            raise KeyboardInterrupt
        return write(self, stretches)

    monkeypatch.setattr(Transcriber, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        again(corpus, path, batch=batch)
    done = load_corpus(str(path)).table["name"].tolist()  # a part of a corpus is one too
    assert {"brief", "silent", "given"} <= set(done) < set(corpus.table["name"])
    monkeypatch.setattr(Transcriber, "write", write)
    read.clear()
    assert rows_of(again(corpus, path, batch=batch)) == rows_of(finished)
    assert read == [name for name in corpus.table["name"] if name not in done]


def test_a_killed_run_loses_little(corpus, tmp_path, monkeypatch):
    """The CSV is written on the way, not only at the end."""
    monkeypatch.setattr(module, "_FEWEST", 2)
    path = tmp_path / "words.csv"
    sizes = []
    add = module.Transcripts.add

    def note(self, name, transcript):
        sizes.append(len(rows_of(path)) if path.exists() else 0)
        add(self, name, transcript)

    monkeypatch.setattr(module.Transcripts, "add", note)
    again(corpus, path)
    assert sizes == [0, 0, 3, 3, 5, 5, 7, 7]  # the clip that brings its words is there from the start


def test_retry_tries_failed_clips_again(corpus, tmp_path, read):
    path = again(corpus, tmp_path / "words.csv")
    read.clear()
    again(corpus, path, retry=True)
    assert read == ["silent", "short", "gone"]


def test_an_odd_file_costs_one_clip(corpus, tmp_path, monkeypatch, caplog):
    load = SoundSource.load

    def odd(self, row):
        if row["name"] == "long":
            raise ZeroDivisionError("what a header")
        return load(self, row)

    monkeypatch.setattr(SoundSource, "load", odd)
    with caplog.at_level(logging.INFO):
        rows = rows_of(again(corpus, tmp_path / "words.csv"))
    assert (rows["long"]["text"], rows["long"]["text_status"]) == ("", "error")
    assert rows["long"]["text_reason"] == "ZeroDivisionError: what a header"
    assert rows["last"]["text_status"] == "ok"
    assert "8 transcribed now; of all clips 1 error, 1 missing, 5 ok, 1 silent, 1 too_short" in caplog.text


def test_a_model_that_hears_nothing(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(Transcriber, "write", lambda self, stretches: [" \n"] * len(stretches))
    rows = rows_of(again(corpus, tmp_path / "words.csv"))
    assert (rows["usual"]["text"], rows["usual"]["text_status"]) == ("", "empty_text")


def test_mistakes(corpus, tmp_path, finished):
    with pytest.raises(UserError, match=r"ends in \.csv"):
        again(corpus, tmp_path / "words.txt")
    with pytest.raises(UserError, match=r"language=zh.*asked for are some by.*language=en"):
        again(corpus, finished, language="en")


@pytest.mark.parametrize(
    ("stretches", "words"),
    [
        ([" Good morning,", " Vietnam."], "Good morning, Vietnam."),
        (["good morning", "vietnam"], "good morning vietnam"),  # of models trained on words without a blank in front
        (["今天天气", "很好。", "我们走吧"], "今天天气很好。我们走吧"),
        ([" 오늘은", " 날씨가"], "오늘은 날씨가"),
        (["我用", "Python", "写"], "我用Python写"),
        (["", "one", "", "two "], "one two"),
        (["", " "], ""),
    ],
)
def test_stretches_become_one_text(stretches, words):
    assert module._transcript(stretches, None, "model").text == words

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_extraction.transcription.transcripts import Transcript, Transcripts
from toolkit.corpus import Corpus, corpus_from_table, load_corpus
from toolkit.errors import UserError
from toolkit.status import Status

SOURCE = "some-whisper revision=1 language=zh float32"


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Four clips of a corpus with classes and a range of its own; two have words."""
    clips = tmp_path / "data" / "clips"
    clips.mkdir(parents=True)
    for name in "abcd":
        (clips / f"{name}.wav").touch()
    table = pd.DataFrame({
        "name": list("abcd"),
        "audio": ["clips/a.wav", str(clips / "b.wav"), None, "clips/d.wav"],
        "video": [None, None, "clips/c.wav", None],
        "text": [None, "你好, \"friend\"", "  ", "NA"],
        "split": ["train", "train", "test", "test"],
        "emotion": ["calm", None, "tense", "calm"],
        "valence": [0.1, None, 9.25, -3],
        "openset": ["['glad', 'at ease']", None, None, None],
        "speaker": ["03", "03", "14", "14"],
        "take": [1.0, 2.0, None, 4.5],
    })  # fmt: skip
    return corpus_from_table("moods", tmp_path / "data", table, emotions=("calm", "tense"), valence=(-10, 10))


def heard(text: str, status: Status = Status.OK, reason: str = "") -> Transcript:
    return Transcript(text, status, reason, SOURCE)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "out" / "words.csv"


def names(rows) -> list[str]:
    return [row["name"] for row in rows]


def test_only_clips_without_words_are_missing(corpus, path):
    assert names(Transcripts(corpus, path, SOURCE).missing()) == ["a", "c"]


def test_the_csv_is_the_corpus_with_words(corpus, path):
    transcripts = Transcripts(corpus, path, SOURCE)
    transcripts.add("c", heard("good morning, \n Vietnam"))
    transcripts.add("a", heard("", Status.SILENT, "silent, peak 0"))
    transcripts.save()
    again = load_corpus(str(path))
    assert (again.name, again.emotions, again.valence) == ("moods", ("calm", "tense"), (-10, 10))
    assert again.table["text"].fillna("-").tolist() == ["-", '你好, "friend"', "good morning, \n Vietnam", "NA"]
    assert again.table["text_status"].tolist() == ["silent", "ok", "ok", "ok"]
    assert again.table["text_reason"].fillna("").tolist() == ["silent, peak 0", "", "", ""]
    assert again.table["text_source"].tolist() == [SOURCE, "corpus", SOURCE, "corpus"]
    same = ["name", "split", "emotion", "valence", "openset", "speaker", "take"]
    pd.testing.assert_frame_equal(again.table[same], corpus.table[same], check_dtype=False)
    for column in ("audio", "video"):
        for here, there in zip(again.table[column], corpus.table[column], strict=True):
            assert pd.isna(here) == pd.isna(there)
            if not pd.isna(here):
                assert not Path(here).is_absolute()
                assert again.path(here).samefile(corpus.path(there))
    np.testing.assert_array_equal(again.table["valence"], [0.1, np.nan, 9.25, -3])


def test_folders_behind_links(corpus, path, tmp_path):
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    path.parent.symlink_to(tmp_path / "elsewhere" / "deep")
    Transcripts(corpus, path, SOURCE).save()
    again = load_corpus(str(path))
    assert again.path(again.table["audio"][0]).samefile(tmp_path / "data" / "clips" / "b.wav")


def test_another_run_takes_over_what_is_there(corpus, path):
    first = Transcripts(corpus, path, SOURCE)
    first.add("a", heard("one two"))
    first.save()
    path.write_text(path.read_text().replace("one two", "one two!"))  # corrected by hand
    second = Transcripts(corpus, path, SOURCE)
    assert names(second.missing()) == ["c"]
    second.add("c", heard("", Status.EMPTY_TEXT, "the model heard no words"))
    second.save()
    third = Transcripts(corpus, path, SOURCE)
    assert (names(third.missing()), names(third.missing(retry=True))) == ([], ["c"])
    assert third.count() == {"ok": 3, "empty_text": 1}
    assert load_corpus(str(path)).table["text"].fillna("-").tolist() == ["one two!", '你好, "friend"', "-", "NA"]


def test_part_of_a_corpus_is_a_corpus(corpus, path):
    transcripts = Transcripts(corpus, path, SOURCE)
    transcripts.save()
    assert load_corpus(str(path)).table["name"].tolist() == ["b", "d"]


def test_a_yaml_that_is_there_stays(corpus, path):
    path.parent.mkdir()
    path.with_suffix(".yaml").write_text("name: mine\nvalence: [-10, 10]\nemotions: [calm, tense]\n")
    Transcripts(corpus, path, SOURCE).save()
    assert load_corpus(str(path)).name == "mine"


def test_a_csv_of_something_else_is_left_alone(corpus, path):
    path.parent.mkdir()
    path.write_text("name,audio\na,a.wav\n")
    with pytest.raises(UserError, match="holds no transcripts of this command"):
        Transcripts(corpus, path, SOURCE)
    assert path.read_text() == "name,audio\na,a.wav\n"


def test_a_csv_of_another_corpus_or_model_is_left_alone(corpus, path):
    transcripts = Transcripts(corpus, path, SOURCE)
    transcripts.add("a", heard("one"))
    transcripts.save()
    with pytest.raises(UserError, match=f"by '{SOURCE}', asked for are some by 'other'"):
        Transcripts(corpus, path, "other")
    with pytest.raises(UserError, match="holds 1 clips that the corpus 'moods' has not, 'a' for one"):
        Transcripts(corpus.only(corpus.table["name"] != "a"), path, SOURCE)


def test_a_status_that_is_none(corpus, path):
    Transcripts(corpus, path, SOURCE).save()
    path.write_text(path.read_text().replace(",ok,", ",okay,", 1))
    with pytest.raises(UserError, match=r"row 2: unknown text_status 'okay'\. Did you mean 'ok'"):
        Transcripts(corpus, path, SOURCE)

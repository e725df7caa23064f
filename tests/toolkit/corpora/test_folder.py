"""One's own CSV: what is taken, and what each bad row is told."""

import logging

import numpy as np
import pytest

from toolkit.corpora.folder import read
from toolkit.errors import UserError

GOOD = """name,video,audio,text,emotion,valence,openset,split,speaker,take
a,v/a.mp4,,你好,Happy,1.5,"['joyful', 'relaxed']",train,03,1
b,/abs/b.mp4,b.wav,,anger,-5,,test_multi,14,2
c,,,  ,,,,Unlabeled,14,
d,v/d.mp4,,bye,,nan,,,03,4.5
"""


@pytest.fixture
def write(tmp_path):
    def write(text, sidecar=None):
        (tmp_path / "my_clips.csv").write_text(text, encoding="utf-8")
        if sidecar is not None:
            (tmp_path / "my_clips.yaml").write_text(sidecar)
        return tmp_path / "my_clips.csv"

    return write


def test_everything_at_once(write, tmp_path):
    corpus = read(write(GOOD))
    table = corpus.table
    assert (corpus.name, corpus.root, corpus.emotions, corpus.valence) == (
        "my_clips", tmp_path, ("angry", "happy"), (-5.0, 5.0),
    )  # fmt: skip
    assert list(table["name"]) == ["a", "b", "c", "d"]
    assert list(table["split"]) == ["train", "test_multi", "unlabelled", "train"]
    assert list(table["emotion"].fillna("?")) == ["happy", "angry", "?", "?"]
    np.testing.assert_array_equal(table["valence"], [1.5, -5.0, np.nan, np.nan])
    assert list(table["text"].isna()) == [False, True, True, False]
    assert table["openset"][0] == "['joyful', 'relaxed']"
    assert list(table["speaker"]) == ["03", "14", "14", "03"]  # a leading zero is a name
    np.testing.assert_array_equal(table["take"], [1, 2, np.nan, 4.5])


def test_text_alone_is_a_corpus(write):
    corpus = read(write("name,text\n1,hello\n"))
    assert list(corpus.table["name"]) == ["1"]
    assert corpus.splits == ["train"]
    assert len(corpus.emotions) == 6  # no labels at all: the challenges' classes


def test_classes_are_those_that_occur_in_mer_order_then_by_alphabet(write):
    assert read(write("name,text,emotion\na,x,fear\nb,x,sad\nc,x,disgust\nd,x,neutral\n")).emotions == (
        "neutral", "sad", "disgust", "fear",
    )  # fmt: skip


def test_sidecar_declares_classes_valence_and_name(write):
    path = write("name,text,emotion,valence\na,x,Grumpy,3\nb,x,anger,-3\n",
                 "name: moods\nemotions: [grumpy, Angry, happy]\nvalence: [-3, 3]\n")  # fmt: skip
    corpus = read(path)
    assert (corpus.name, corpus.emotions, corpus.valence) == ("moods", ("grumpy", "angry", "happy"), (-3.0, 3.0))
    assert list(corpus.table["emotion"]) == ["grumpy", "angry"]


def test_decimal_comma_in_a_semicolon_file(write):
    assert read(write("name;text;valence\na;x, y;-1,25\n")).table["valence"][0] == -1.25


def test_missing_files_are_counted_not_fatal(write, tmp_path, caplog):
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "a.mp4").touch()
    with caplog.at_level(logging.WARNING):
        corpus = read(write("name,video\na,v/a.mp4\nb,v/b.mp4\nc,w/c.mp4\n"))
    assert len(corpus) == 3
    assert "files missing: 2, the first in row 3 (video 'v/b.mp4')" in caplog.text


def test_no_warning_when_all_files_are_there(write, tmp_path, caplog):
    (tmp_path / "a.b.mp4").touch()
    read(write("name,video\na.b,a.b.mp4\n"))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("name,emotion\na,happy\n", r"row 1: none of the columns video, audio, text is there. Add one"),
        ("vidoe,name\na,b\n", r"row 1: unknown column 'vidoe', and column 'video' is missing"),
        ("clip,video\na,b\n", r"row 1: unknown column 'clip', and column 'name' is missing. Rename it to 'name'"),
        ("text,video\na,b\n", r"row 1: column 'name' is missing"),
        ("name,text\na,x\nb,y\na,z\n", r"row 4: the name 'a' is also in row 2. Give each clip its own"),
        ("name,text\na,x\n ,y\n", r"row 3: the name is empty"),
        ("name,text\ns1/a,x\n", r"row 2: the name 's1/a' holds a slash. .* use '_' instead"),
        ("name,text,emotion\na,x,happpy\n", r"row 2: unknown emotion 'happpy'. Did you mean 'happy'\?.*my_clips\.yaml"),
        ("name,text,emotion\na,x,3\n", r"row 2: unknown emotion '3'. Known: amused,.*worried"),
        ("name,text,valence\na,x,high\n", r"row 2: the valence 'high' is no number. Expected -5 to 5, or an empty"),
        ("name,text,valence\na,x,1\nb,x,-10\n", r"row 3: the valence -10 is out of range. Expected -5 to 5"),
        ("name,text,valence\na,x,inf\n", r"row 2: the valence inf is out of range"),
        ("name,text,openset\na,x,['calm']\nb,x,['calm'\n", r"row 3: the open-set words .* Expected something like \['"),
    ],
    ids=["no_medium", "misspelt_column", "synonym_column", "missing_name_column", "duplicated_name", "empty_name",
         "slash", "misspelt_emotion", "number_for_emotion", "valence_word", "valence_range", "valence_infinite",
         "openset"],
)  # fmt: skip
def test_bad_rows(write, rows, message):
    with pytest.raises(UserError, match=r"my_clips\.csv, " + message):
        read(write(rows))


def test_declared_classes_replace_the_known_ones(write):
    with pytest.raises(UserError, match=r"row 2: unknown emotion 'sad'. Known: calm, tense."):
        read(write("name,text,emotion\na,x,sad\n", "emotions: [calm, tense]\n"))
    with pytest.raises(UserError, match=r"row 2: unknown emotion 'sad'. Known: none."):
        read(write("name,text,emotion\na,x,sad\n", "emotions: []\n"))
    assert read(write("name,text,emotion\na,x,\n", "emotions: []\n")).emotions == ()


def test_a_sidecar_that_is_a_folder(write, tmp_path):
    (tmp_path / "my_clips.yaml").mkdir()
    with pytest.raises(UserError, match=r"my_clips.yaml cannot be read \(Is a directory\)"):
        read(write("name,text\na,x\n"))


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ("emotion: [calm]\n", r"my_clips.yaml: 'emotion': Extra inputs"),
        ("emotions: calm\n", r"my_clips.yaml: 'emotions': .*list"),
        ("valence: [3, -3]\n", r"valence is \[3.0, -3.0\], expected the lowest value first"),
        ("emotions: [calm, Calm]\n", r"emotions are \['calm', 'calm'\], expected every class once"),
        ("valence: [.nan, 3]\n", r"expected the lowest value first"),
        ("name: ..\n", r"name is '\.\.', expected a word that can name a folder"),
        ("name: a/b\n", r"name is 'a/b', expected a word that can name a folder"),
        ("a: [\n", r"my_clips.yaml is no YAML file"),
        ("- a\n", r"my_clips.yaml: 'the file'"),
    ],
)
def test_bad_sidecars(write, sidecar, message):
    with pytest.raises(UserError, match=message):
        read(write("name,text\na,x\n", sidecar))


def test_emodb(shared_data, write):
    """The four classes of a real corpus' index, with its own spelling of them."""
    index = (shared_data / "emodb" / "index_4class.csv").read_text().splitlines()[1:]
    folder = shared_data / "emodb" / "audio_4class_original_16k"
    cells = [line.split(",") for line in index]
    rows = "\n".join(f"{file[:-5]},{folder / file},{emotion},{speaker}" for file, emotion, speaker, *_ in cells)
    corpus = read(write("name,audio,emotion,speaker\n" + rows))
    assert corpus.emotions == ("neutral", "angry", "happy", "sad")
    assert corpus.table["emotion"].value_counts().to_dict() == {"angry": 127, "neutral": 79, "happy": 71, "sad": 62}
    assert corpus.table["speaker"].nunique() == 10
    assert all(corpus.path(cell).exists() for cell in corpus.table["audio"])

"""The corpus table and its names on the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.corpus import COLUMNS, corpus_from_table, load_corpus, readers
from toolkit.errors import UserError
from toolkit.labels import MER_EMOTIONS, MER_VALENCE


@pytest.fixture
def corpus():
    table = pd.DataFrame(
        {"name": ["a", "b", "c"], "split": ["train", "test_multi", "train"], "video": ["v/a.mp4", None, "/x/c.mp4"],
         "speaker": ["s1", "s2", "s1"]}
    )  # fmt: skip
    return corpus_from_table("mine", Path("/data"), table)


def test_all_columns_are_there_and_missing_is_missing(corpus):
    assert tuple(corpus.table) == (*COLUMNS, "speaker")
    assert corpus.table["valence"].dtype == np.float64
    assert corpus.table[["audio", "text", "emotion", "valence", "openset"]].isna().all(axis=None)
    assert (corpus.emotions, corpus.valence) == (MER_EMOTIONS, MER_VALENCE)


def test_absent_split_is_train():
    assert corpus_from_table("mine", Path(), pd.DataFrame({"name": ["a"]})).splits == ["train"]


def test_select_keeps_order(corpus):
    assert corpus.splits == ["train", "test_multi"]
    assert list(corpus.select("train").table["name"]) == ["a", "c"]
    assert list(corpus.select("train").table.index) == [0, 1]
    assert len(corpus.select("train", "test_multi")) == 3


def test_group_survives_a_selection():
    table = pd.DataFrame({"name": ["a", "b"], "session": [1, 2]})
    assert corpus_from_table("mine", Path(), table).group is None
    assert corpus_from_table("mine", Path(), table, group="session").select("train").group == "session"


def test_unknown_split(corpus):
    with pytest.raises(UserError, match=r"Corpus 'mine' has no split 'test'. It has: train, test_multi."):
        corpus.select("test")


def test_paths(corpus):
    cells = corpus.table["video"]
    assert corpus.path(cells[0]) == Path("/data/v/a.mp4")
    assert corpus.path(cells[1]) is None
    assert corpus.path(cells[2]) == Path("/x/c.mp4")


def test_duplicated_name():
    with pytest.raises(UserError, match="Corpus 'mine' has two clips called 'b'"):
        corpus_from_table("mine", Path(), pd.DataFrame({"name": ["a", "b", "b"]}))


def test_table_given_is_left_alone():
    table = pd.DataFrame({"name": ["a"]})
    corpus_from_table("mine", Path(), table)
    assert list(table) == ["name"]


def test_readers_are_found():
    challenges = {"mer2023", "mer2024", "mer2023-partial", "mer2024-partial"}
    others = {"iemocap4", "iemocap6", "meld", "mosi", "mosei", "sims", "simsv2", "mosi-utterances", "cross", "folder"}
    assert challenges | others <= set(readers.names())


@pytest.mark.parametrize("prefix", ["", "folder:"])
def test_load_by_reference(tmp_path, prefix):
    (tmp_path / "clips.csv").write_text("name,text\na,hello\n")
    assert load_corpus(f"{prefix}{tmp_path / 'clips.csv'}").name == "clips"


def test_a_colon_in_a_csv_path(tmp_path):
    folder = tmp_path / "a:b"
    folder.mkdir()
    (folder / "clips.csv").write_text("name,text\na,hello\n")
    assert len(load_corpus(str(folder / "clips.csv"))) == 1


@pytest.mark.parametrize("reference", ["somewhere", "mer2023:", "mer2023"])
def test_reference_that_names_nothing(reference):
    with pytest.raises(UserError, match=rf"^'{reference}' names no corpus. Expected a CSV's path or one of .*mer2024:"):
        load_corpus(reference)


def test_unknown_reader():
    with pytest.raises(UserError, match=r"Unknown corpus reader 'mre2023'. Did you mean 'mer2023'\?"):
        load_corpus("mre2023:/data")


def test_unknown_reader_of_a_csv():
    with pytest.raises(UserError, match=r"'csv'.*folder"):
        load_corpus("csv:/data/clips.csv")


def test_csv_with_a_colon_in_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("take:one.csv").write_text("name,text\na,hello\n", encoding="utf-8")
    assert len(load_corpus("take:one.csv")) == 1

"""The authors' lists, line by line."""

import re

import pytest

from baseline.fine_tuning.lists import classes_of, corpus_of_lists
from toolkit.errors import UserError


def written(folder, **lists):
    paths = []
    for name, text in lists.items():
        path = folder / f"{name}.csv"
        path.write_text(text)
        paths.append(path)
    return paths


def test_pictures_and_labels(tmp_path):
    paths = written(tmp_path, train="clips/00001 0\nclips/00002 6\n\n", test="/elsewhere/3 happy\n")
    corpus = corpus_of_lists(paths, classes=classes_of(["dfew"]))
    table = corpus.table
    assert list(table["name"]) == ["clips/00001", "clips/00002", "/elsewhere/3"]
    assert list(table["split"]) == ["train", "train", "test"]
    assert list(table["emotion"]) == ["happy", "fear", "happy"]
    assert corpus.path(table["video"][0]) == tmp_path / "clips" / "00001"
    assert str(corpus.path(table["video"][2])) == "/elsewhere/3"
    assert table["audio"].isna().all()


def test_sound_and_a_root(tmp_path):
    paths = written(tmp_path, train="f/1 w/1.wav 5\n", test="f/2 w/2.WAV 0\n", val="f/3 w/3.wav 1\n")
    root = tmp_path / "root"
    table = corpus_of_lists(paths, classes=classes_of(["crema-d"]), root=root).table
    assert list(table["audio"]) == [str(root / f"w/{name}") for name in ("1.wav", "2.WAV", "3.wav")]
    assert list(table["emotion"]) == ["sad", "angry", "disgust"]
    assert list(table["split"]) == ["train", "test", "val"]


def test_numbers(tmp_path):
    paths = written(tmp_path, train="f/1 w/1.wav 0.5 -1 2\n", test="f/2 1 2 3e-1\n")
    table = corpus_of_lists(paths, values=("arousal", "valence", "dominance")).table
    assert table[["arousal", "valence", "dominance"]].to_numpy().tolist() == [[0.5, -1, 2], [1, 2, 0.3]]


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("f/1\n", "train.csv, row 1: 'f/1' has no label"),
        ("f/1 0\nf/2 7\n", "train.csv, row 2: '7' is no class. Expected one of 0 happy, 1 sad"),
        ("f/1 -1\n", "'-1' is no class"),
        ("f/1 0 1\n", "row 1: got 2 labels"),
        ("f/1 0\nf/1 0\n", "row 2: the clip 'f/1' is also in"),
        ("f/9 0\n", "test.csv, row 1: the clip 'f/9' is also in"),
        ("\n", "is empty"),
    ],
)
def test_mistakes_are_named(tmp_path, train, said):
    with pytest.raises(UserError, match=re.escape(said)):
        corpus_of_lists(written(tmp_path, train=train, test="f/9 0\n"), classes=classes_of(["dfew"]))


def test_numbers_that_are_none(tmp_path):
    paths = written(tmp_path, train="f/1 0.5 high\n", test="f/2 1 1\n")
    with pytest.raises(UserError, match=r"row 1: got '0\.5 high'\. Expected numbers: arousal, valence"):
        corpus_of_lists(paths, values=("arousal", "valence"))


def test_tables_of_classes():
    assert [len(classes_of([name])) for name in ("dfew", "FERV39k", "mafw", "crema-d")] == [7, 7, 11, 6]
    assert classes_of(["ravdess"]) == tuple("01234567")
    assert classes_of(["Anger", "Happiness"]) == ("angry", "happy")
    with pytest.raises(UserError, match="Did you mean 'mafw'"):
        classes_of(["mafv"])
    with pytest.raises(UserError, match="not all different"):
        classes_of(["joy", "happy"])

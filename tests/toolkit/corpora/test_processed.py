"""MERTools' folders, whatever the corpus."""

import numpy as np
import pytest

from toolkit.corpora.processed import read_first, read_processed
from toolkit.errors import UserError

PARTS = {
    "test_corpus": {"c": (1, -10)},
    "train_corpus": {"b": (0, 0.5), "a": (np.int64(2), np.float32(-1))},
}
WORDS = "name,chinese,english\na,你好,hello\nb,,\nstranger,外,outside\n"


def read(root, **options):
    options = {"language": "english", "emotions": ("calm", "bored", "tired"), "valence": (-1.0, 1.0)} | options
    return read_processed(root, "label.npz", **options)


def test_labels(processed):
    table = read(processed("label.npz", PARTS))
    assert table["name"].tolist() == ["c", "b", "a"]
    assert table["split"].tolist() == ["test", "train", "train"]
    assert table["emotion"].tolist() == ["bored", "calm", "tired"]
    np.testing.assert_array_equal(table["valence"], [np.nan, 0.5, -1])
    assert "text" not in table


def test_what_a_corpus_has_not_is_no_column(processed):
    root = processed("label.npz", PARTS)
    assert "emotion" not in read(root, emotions=())
    assert "valence" not in read(root, valence=None)


@pytest.mark.parametrize(
    ("language", "other", "said", "translated"),
    [("english", "chinese", "hello", "你好"), ("chinese", "english", "你好", "hello")],
)
def test_words_are_those_of_the_corpus(processed, language, other, said, translated):
    table = read(processed("label.npz", PARTS, WORDS), language=language).set_index("name")
    assert table.loc["a", ["text", other]].tolist() == [said, translated]
    assert table.loc[["b", "c"], ["text", other]].isna().all(axis=None)
    assert len(table) == 3


def test_words_in_one_language(processed):
    table = read(processed("label.npz", PARTS, "name,english\na,hello\n"))
    assert table["text"].tolist()[2] == "hello"
    assert "chinese" not in table


def test_media(processed):
    root = processed("label.npz", PARTS)
    for file in ("video/a.mp4", "subvideo/a.avi", "subvideo/b.mp4", "subvideo/stranger.mp4", "subaudio/c.wav"):
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).touch()
    table = read(root).set_index("name")
    assert table.loc[["a", "b"], "video"].tolist() == ["subvideo/a.avi", "subvideo/b.mp4"]
    assert table.loc["c", "audio"] == "subaudio/c.wav"
    assert table["video"].isna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train_corpus": {"a": (3, 0)}}, r"'a': the class 3 is unknown. Expected one of 0 calm, 1 bored, 2 tired"),
        ({"train_corpus": {"a": (-1, 0)}}, r"'a': the class -1 is unknown"),
        ({"train_corpus": {"a": ("sad", 0)}}, r"'a': the class 'sad' is unknown"),
        ({"train_corpus": {"a": (0, 1.5)}}, r"'a': the valence '1.5' is wrong. Expected -1 to 1"),
        ({"train_corpus": {"a": (0, "high")}}, r"'a': the valence 'high' is wrong"),
        ({"dev_corpus": {"a": (0, 0)}}, r"has a part 'dev_corpus'. Expected whole_corpus, train_corpus, val_corpus"),
    ],
    ids=["class", "negative_class", "word", "valence", "valence_word", "part"],
)
def test_bad_labels(processed, parts, message):
    with pytest.raises(UserError, match=r"label\.npz.*" + message):
        read(processed("label.npz", parts))


def test_a_transcript_without_the_language(processed):
    with pytest.raises(UserError, match=r"polish.csv, row 1: column 'english' is missing"):
        read(processed("label.npz", PARTS, "name,chinese\na,你好\n"))


def test_first_label_file_that_is_there(tmp_path):
    sources = {"one.csv": lambda root: 1, "two/two.csv": lambda root: 2}
    with pytest.raises(UserError, match=r"holds no labels of ABC. Expected a folder with one.csv or two/two.csv in it"):
        read_first(tmp_path, "ABC", sources)
    (tmp_path / "two").mkdir()
    (tmp_path / "two/two.csv").touch()
    assert read_first(tmp_path, "ABC", sources) == 2
    (tmp_path / "one.csv").touch()
    assert read_first(tmp_path, "ABC", sources) == 1

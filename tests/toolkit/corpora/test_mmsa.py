"""Pickles of MMSA as a corpus: names, splits, sentiment, and which corpus they are."""

import pickle

import numpy as np
import pytest

from toolkit.corpora import mmsa, sims
from toolkit.corpus import load_corpus
from toolkit.errors import UserError


def split(*ids, labels, **more):
    return {"id": list(ids), "regression_labels": np.array(labels, np.float32), **more}


@pytest.fixture
def write(tmp_path):
    def save(content):
        (tmp_path / "mine.pkl").write_bytes(pickle.dumps(content))
        return tmp_path / "mine.pkl"

    return save


def test_everything_at_once(write):
    path = write(
        {
            "train": split(
                "v$_$1", "v$_$10", labels=[1.5, -3], raw_text=["good", " "], annotations=["Positive", "Negative"]
            ),
            "valid": split("a_b$_$2", labels=[0], raw_text=np.array(["fair"]), annotations=["Neutral"]),
            "test": split("w$_$0001", labels=[0.2], raw_text=["so"], annotations=["Positive"]),
        }
    )
    corpus = load_corpus(f"mmsa:{path}")
    table = corpus.table
    assert (corpus.name, corpus.emotions, corpus.valence) == ("mine", (), (-3.0, 3.0))
    assert list(table["name"]) == ["v_1", "v_10", "a_b_2", "w_0001"]
    assert list(table["split"]) == ["train", "train", "val", "test"]
    np.testing.assert_allclose(table["valence"], [1.5, -3, 0, 0.2])
    assert list(table["text"].fillna("?")) == ["good", "?", "fair", "so"]
    assert list(table["annotation"]) == ["Positive", "Negative", "Neutral", "Positive"]
    assert list(table["video_id"]) == ["v", "v", "a_b", "w"]
    assert list(table["utterance_no"]) == [1, 10, 2, 1]


def test_each_modality_has_ratings_of_its_own(write):
    more = {"regression_labels_T": [0.5], "regression_labels_A": [-0.5], "regression_labels_V": np.array([[1.0]])}
    corpus = mmsa.read(write({"train": split("video_0001$_$0002", labels=[0.2], **more)}))
    assert corpus.valence == (-1.0, 1.0)
    row = corpus.table.iloc[0]
    assert (row["valence_text"], row["valence_audio"], row["valence_visual"]) == (0.5, -0.5, 1.0)


def test_published_sizes_tell_the_corpus(write):
    ids = {name: [f"video_{name}$_${n:04d}" for n in range(size)] for name, size in sims.SIZES.items()}
    theirs = {"train": "train", "val": "valid", "test": "test"}
    corpus = mmsa.read(write({theirs[name]: split(*ids[name], labels=np.zeros(len(ids[name]))) for name in ids}))
    assert (corpus.name, corpus.valence, len(corpus)) == ("sims", (-1.0, 1.0), 2281)


def test_letters_of_another_alphabet(write):
    corpus = mmsa.read(write({"train": split("a", labels=[0], raw_text=np.array([b"caf\xe9"]))}))
    assert corpus.table["text"].tolist() == ["caf\ufffd"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "is no pickle of MMSA"),
        ({"train": {"text": np.ones((1, 1))}}, "is no pickle of MMSA"),
        ({"train": {"id": "abc"}}, "is no pickle of MMSA"),
        ({"train": split(labels=[])}, "is no pickle of MMSA"),
        ({"train": {"id": ["a"]}}, "the split 'train' has no regression_labels"),
        ({"train": split("a", labels=[1, 2])}, "'regression_labels' of 'train' has 2 entries for 1 clips"),
        ({"train": split("a", labels=[0], annotations=5)}, "'annotations' of 'train' has 0 entries for 1 clips"),
        ({"train": split("a", labels=np.array(5.0))}, "'regression_labels' of 'train' has 0 entries for 1 clips"),
        ({"train": split("a", labels=[0], raw_text=None)}, "'raw_text' of 'train' has 0 entries for 1 clips"),
        ({"train": split("a", labels=[[1, 2]])}, "something else than one number per clip"),
        ({"train": split("a", "b", labels=[0, -3.5])}, "'b' is rated 3.5. Expected -3 to 3"),
        ({"train": split("a", "a", labels=[0, 1])}, "has two clips called 'a'"),
    ],
)
def test_pickles_that_do_not_fit(write, content, message):
    with pytest.raises(UserError, match=message):
        mmsa.read(write(content))

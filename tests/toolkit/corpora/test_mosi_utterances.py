"""The utterance features of MOSI: their table, made small and real."""

import numpy as np
import pytest

from toolkit.corpora import mosi_utterances
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

COLUMNS = {
    "split": np.array(["test", "train", "train"]),
    "video_id": np.array(["v", "a_b", "a_b"]),
    "utterance_no": np.array([1, 1, 2]),
    "sentence": np.array(["good", "", "bad"]),
    "label": np.array([1, 1, 0], np.int8),
    "audio": np.zeros((3, 73), np.float32),
}


def save(folder, **changes):
    np.savez(folder / "mosi_utterances.npz", **COLUMNS | changes)
    return folder


@pytest.mark.parametrize("place", ["", "/mosi_utterances.npz"], ids=["folder", "file"])
def test_rows(tmp_path, place):
    corpus = load_corpus(f"mosi-utterances-partial:{save(tmp_path)}{place}")
    table = corpus.table
    assert (corpus.emotions, corpus.group) == (("negative", "positive"), "video_id")
    assert table["name"].tolist() == ["v_1", "a_b_1", "a_b_2"]
    assert table["split"].tolist() == ["test", "train", "train"]
    assert table["emotion"].tolist() == ["positive", "positive", "negative"]
    assert table["text"].fillna("none").tolist() == ["good", "none", "bad"]
    assert table[["video_id", "utterance_no"]].to_numpy().tolist() == [["v", 1], ["a_b", 1], ["a_b", 2]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": np.array([1, 2, 0])}, r"utterance 1 has the label 2. Expected 0 negative, 1 positive"),
        ({"label": np.array([1, 2])}, r"holds something else \(All arrays must be of the same length\)"),
        ({"label": np.array([{}, {}, {}])}, r"holds something else \(Object arrays cannot be loaded"),
    ],
    ids=["label", "lengths", "pickle"],
)
def test_other_content(tmp_path, changes, message):
    with pytest.raises(UserError, match=r"mosi_utterances\.npz.*" + message):
        load_corpus(f"mosi-utterances:{save(tmp_path, **changes)}")


def test_no_such_file(tmp_path):
    with pytest.raises(UserError, match=r"mosi_utterances.npz cannot be read \(No such file or directory\)"):
        load_corpus(f"mosi-utterances:{tmp_path}")
    np.savez(tmp_path / "mosi_utterances.npz", label=np.zeros(3))
    with pytest.raises(UserError, match=r"holds something else \('split is not a file in the archive'\)"):
        load_corpus(f"mosi-utterances:{tmp_path}")
    np.save(tmp_path / "labels.npy", np.zeros(3))
    with pytest.raises(UserError, match=r"labels.npy holds something else"):
        load_corpus(f"mosi-utterances:{tmp_path / 'labels.npy'}")


@pytest.mark.parametrize(
    ("place", "byte", "problem"), [(8, 99, "compression method"), (6, 1, "is encrypted")], ids=["method", "locked"]
)
def test_damaged(tmp_path, place, byte, problem):
    """One byte of the first entry in the list of contents, at the end of the file."""
    path = save(tmp_path) / "mosi_utterances.npz"
    content = bytearray(path.read_bytes())
    for found in range(len(content)):
        if content[found : found + 4] == b"PK\x01\x02":
            content[found + place + 2] = byte
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"holds something else \(.*{problem}.*\). Expected an npz file"):
        load_corpus(f"mosi-utterances:{path}")


def test_real(shared_data):
    assert mosi_utterances.SIZES == {"train": 1447, "test": 752}
    corpus = load_corpus(f"mosi-utterances:{shared_data / 'mosi_utterance_features'}")
    table = corpus.table
    assert corpus.name == "mosi-utterances"
    assert table.groupby("split")["video_id"].nunique().to_dict() == {"train": 62, "test": 31}
    assert not set(corpus.select("train").table["video_id"]) & set(corpus.select("test").table["video_id"])
    assert corpus.select("test").table["emotion"].value_counts().to_dict() == {"positive": 467, "negative": 285}
    assert table["text"].notna().all()

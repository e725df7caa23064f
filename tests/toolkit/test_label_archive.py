"""Label archives as MERTools writes them, and as somebody hostile or clumsy might."""

import os

import numpy as np
import pytest

from toolkit.errors import UserError
from toolkit.label_archive import read_label_archive


class Command:
    def __reduce__(self):
        return os.system, ("touch run",)


def save(path, **parts):
    np.savez_compressed(path, **parts)
    return path


def test_rows(tmp_path):
    path = save(
        tmp_path / "label.npz",
        train_corpus={"b": {"emo": 1, "val": -10}, "a": {"emo": np.int64(0), "val": np.float32(0.5)}},
        test_corpus={"c": {"emo": "sad", "val": -1.25}},
    )
    table = read_label_archive(path)
    assert table.to_numpy().tolist() == [
        ["train_corpus", "b", 1, -10],
        ["train_corpus", "a", 0, 0.5],
        ["test_corpus", "c", "sad", -1.25],
    ]
    assert list(table) == ["part", "name", "emo", "val"]


def test_without_valence(tmp_path):
    """The archive of MER2024 holds classes alone."""
    path = save(tmp_path / "label.npz", train_corpus={"a": {"emo": "sad"}})
    np.testing.assert_equal(read_label_archive(path).to_numpy().tolist(), [["train_corpus", "a", "sad", np.nan]])


def test_an_empty_part_has_no_rows(tmp_path):
    assert len(read_label_archive(save(tmp_path / "label.npz", train_corpus={}))) == 0


def test_a_hostile_archive_is_refused_by_name_and_runs_nothing(tmp_path, monkeypatch):
    path = save(tmp_path / "label.npz", train_corpus={"a": Command()})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"label\.npz asks for '\w+\.system', which is refused"):
        read_label_archive(path)
    assert [file.name for file in tmp_path.iterdir()] == ["label.npz"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.arange(3), r"'train_corpus.npy' holds an array of shape \(3,\) and type int64. Expected a dictionary"),
        (np.array(["a"], dtype=object), r"holds an array of shape \(1,\) and type object"),
        (np.array(5, dtype=object), r"Expected a dictionary of clips"),
        ({"a": 1}, r"'train_corpus' has 'a': 1. Expected a name and {'emo'"),
        ({"a": {"val": 1}}, r"'train_corpus' has 'a': {'val': 1}"),
        ({7: {"emo": 1, "val": 0}}, r"'train_corpus' has 7: "),
    ],
    ids=["numbers", "list", "scalar", "no_label", "half_a_label", "no_name"],
)
def test_other_content(tmp_path, value, message):
    with pytest.raises(UserError, match=r"label\.npz: .*" + message):
        read_label_archive(save(tmp_path / "label.npz", train_corpus=value))


@pytest.mark.parametrize(
    ("place", "byte", "problem"),
    [(8, 99, "compression method is not supported"), (6, 1, "is encrypted"), (0, 0, "Bad magic number")],
    ids=["method", "locked", "list"],
)
def test_one_byte_of_the_list_of_contents(tmp_path, place, byte, problem):
    path = save(tmp_path / "label.npz", train_corpus={"a": {"emo": 0, "val": 0.0}})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + place + 2 * (place > 0)] = byte
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"label.npz is damaged, or no npz file \(.*{problem}.*\). Copy or download"):
        read_label_archive(path)


def test_no_archive(tmp_path):
    path = tmp_path / "label.npz"
    with pytest.raises(UserError, match=r"label.npz cannot be read \(No such file"):
        read_label_archive(path)
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match=r"is damaged, or no npz file \(File is not a zip file\)"):
        read_label_archive(path)
    save(path, train_corpus={"a": {"emo": 0, "val": 0.0}})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"label.npz is damaged, or no npz file"):
        read_label_archive(path)

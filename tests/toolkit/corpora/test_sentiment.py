"""What the corpora of sentiment have in common, read as each of them."""

import pickle
from collections import OrderedDict

import numpy as np
import pytest

from toolkit.corpora import mosei, mosi, sims, simsv2
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

LIST = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\n"
ROWS = "b_c,2,Good,0.5,0,0,0,Positive,train\nb_c,10,,-1,0,0,0,Negative,valid\na,1,好,0,0,0,0,Neutral,test\n"


@pytest.mark.parametrize(
    ("reader", "extreme"), [("mosi", 3.0), ("mosei", 3.0), ("sims", 1.0), ("simsv2", 1.0)], ids=lambda value: str(value)
)
def test_as_mertools_prepares_them(processed, reader, extreme):
    parts = {
        "train_corpus": {"v_x_1": (0, -extreme), "v_x_12": (0, np.float32(0.25))},
        "val_corpus": {"w_0003": (0, 0.0)},
        "test_corpus": {"u_0001": (0, extreme)},
    }
    words = "name,chinese,english\nv_x_12,很好,very good\n"
    corpus = load_corpus(f"{reader}-partial:{processed('label.npz', parts, words)}")
    table = corpus.table
    assert (corpus.name, corpus.emotions, corpus.valence) == (f"{reader}-partial", (), (-extreme, extreme))
    assert table["name"].tolist() == ["v_x_1", "v_x_12", "w_0003", "u_0001"]
    assert table["split"].tolist() == ["train", "train", "val", "test"]
    assert table["valence"].tolist() == [-extreme, 0.25, 0, extreme]
    assert table["video_id"].tolist() == ["v_x", "v_x", "w", "u"]
    assert table["utterance_no"].tolist() == [1, 12, 3, 1]
    assert table["text"].tolist()[1] == ("很好" if reader.startswith("sims") else "very good")
    assert table["emotion"].isna().all()


@pytest.mark.parametrize(
    ("reader", "file", "names"),
    [
        ("mosi", "label.csv", ["b_c_2", "b_c_10", "a_1"]),
        ("mosei", "label.csv", ["b_c_2", "b_c_10", "a_1"]),
        ("sims", "label.csv", ["b_c_0002", "b_c_0010", "a_0001"]),
        ("simsv2", "meta.csv", ["b_c_2", "b_c_10", "a_1"]),
    ],
)
def test_tables(tmp_path, reader, file, names):
    (tmp_path / file).write_text(LIST + ROWS, encoding="utf-8")
    clip = tmp_path / "Raw" / "b_c" / f"{names[1].rpartition('_')[2]}.mp4"
    clip.parent.mkdir(parents=True)
    clip.touch()
    table = load_corpus(f"{reader}-partial:{tmp_path}").table
    assert table["name"].tolist() == names
    assert table["split"].tolist() == ["train", "val", "test"]
    assert table["valence"].tolist() == [0.5, -1, 0]
    assert table["text"].fillna("").tolist() == ["Good", "", "好"]
    assert table["video"].fillna("").tolist() == ["", f"Raw/b_c/{clip.name}", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("v,1,Good,3.5,,,,,train\n", r"row 2: the valence '3.5' is wrong. Expected -3 to 3"),
        ("v,1,Good,high,,,,,train\n", r"row 2: the valence 'high' is wrong"),
        ("v,1,Good,1,,,,,dev\n", r"row 2: the mode is 'dev'. Expected train, valid or test"),
        (",1,Good,1,,,,,train\n", r"row 2: the video_id is empty"),
        ("v,,Good,1,,,,,train\n", r"row 2: the clip_id is empty"),
    ],
    ids=["range", "word", "mode", "video", "clip"],
)
def test_bad_rows(tmp_path, row, message):
    (tmp_path / "label.csv").write_text(LIST + row)
    with pytest.raises(UserError, match=r"label\.csv, " + message):
        load_corpus(f"mosi:{tmp_path}")


def raw(ratings=(0.5, -3.0)):
    return (
        OrderedDict(v2=["v2_1", "v2_2"], v1=["v1_1"], v3=["v3_1"]),
        {"v2": list(ratings), "v1": np.array([2.4]), "v3": [np.float64(-0.2)]},
        {"v1": "", "v2": "", "v3": ""},
        {"v1": ["FINE"], "v2": ["GOOD", "BAD"], "v3": ["WELL"]},
        {"v2", "v1"},
        {"v3"},
        set(),
    )


@pytest.mark.parametrize(("reader", "file"), [("mosi", mosi.RAW), ("mosei", mosei.RAW)])
@pytest.mark.parametrize("protocol", [2, 4])
def test_pickles(tmp_path, reader, file, protocol):
    (tmp_path / file).write_bytes(pickle.dumps(raw(), protocol))
    table = load_corpus(f"{reader}-partial:{tmp_path}").table
    assert table[["name", "split", "valence", "text"]].to_numpy().tolist() == [
        ["v1_1", "train", 2.4, "FINE"],
        ["v2_1", "train", 0.5, "GOOD"],
        ["v2_2", "train", -3.0, "BAD"],
        ["v3_1", "val", -0.2, "WELL"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw()[:6], r"holds something else \(ValueError: .*\). Expected seven things"),
        ({"train": []}, r"holds something else"),
        (raw(ratings=(0.5,)), r"holds something else \(ValueError: zip"),
        (raw(ratings=(0.5, 4)), r"'v2_2': the valence '4' is wrong"),
        ((*raw()[:4], {"v9"}, set(), set()), r"holds something else \(KeyError: 'v9'\)"),
        (({"v3": [0.5]}, *raw()[1:4], {"v3"}, set(), set()), r"\(TypeError: a clip of 'v3' is called 0.5\)"),
    ],
    ids=["six", "other", "lengths", "range", "video", "name"],
)
def test_bad_pickles(tmp_path, content, message):
    (tmp_path / mosi.RAW).write_bytes(pickle.dumps(content))
    with pytest.raises(UserError, match=message):
        load_corpus(f"mosi:{tmp_path}")


def test_published_sizes(tmp_path):
    assert mosi.SIZES == {"train": 1284, "val": 229, "test": 686}
    assert mosei.SIZES == {"train": 16326, "val": 1871, "test": 4659}
    assert sims.SIZES == {"train": 1368, "val": 456, "test": 457}
    assert simsv2.SIZES == {"train": 2722, "val": 647, "test": 1034}
    (tmp_path / "label.csv").write_text(LIST + ROWS, encoding="utf-8")
    with pytest.raises(UserError, match=r"train 1 of 1284, val 1 of 229, test 1 of 686 clips. .*mosi-partial:"):
        load_corpus(f"mosi:{tmp_path}")


@pytest.mark.parametrize(
    ("reader", "files"),
    [
        ("mosi", "CMU-MOSI. Expected a folder with label.npz or label.csv or CMUMOSI_features_raw_2way.pkl in it"),
        ("mosei", "CMU-MOSEI. Expected a folder with label.npz or label.csv or CMUMOSEI_features_raw_2way.pkl in it"),
        ("sims", "CH-SIMS. Expected a folder with label.npz or label.csv or metadata/sentiment/label_M.csv in it"),
        ("simsv2", "CH-SIMS v2. Expected a folder with label.npz or meta.csv in it"),
    ],
)
def test_no_labels(tmp_path, reader, files):
    with pytest.raises(UserError, match=f"holds no labels of {files}"):
        load_corpus(f"{reader}:{tmp_path}")

"""CH-SIMS as released, made small."""

import pytest

from toolkit.corpus import load_corpus
from toolkit.errors import UserError


@pytest.fixture
def release(tmp_path):
    metadata = tmp_path / "metadata"
    (metadata / "sentiment").mkdir(parents=True)
    rows = "video_0001,1,0.6\nvideo_0001,0002,-1\nvideo_0018,4,0\nvideo_0018,12,0.2\n"
    (metadata / "sentiment" / "label_M.csv").write_text("video_id,clip_id,label\n" + rows)
    for split, index in {"train": (3, 0), "val": (1,), "test": (2,)}.items():
        (metadata / f"{split}_index.csv").write_text("\n".join(["index", *map(str, index)]) + "\n")
    words = "video_0018,4,不错,Not bad\nvideo_0001,1,很好,Very good\n"
    (metadata / "Translation.csv").write_text("video_id,clip_id,Chinese,English\n" + words, encoding="utf-8")
    (tmp_path / "Raw" / "video_0018").mkdir(parents=True)
    (tmp_path / "Raw" / "video_0018" / "0004.mp4").touch()
    return tmp_path


def test_rows(release):
    table = load_corpus(f"sims-partial:{release}").table
    assert table["name"].tolist() == ["video_0018_0012", "video_0001_0001", "video_0001_0002", "video_0018_0004"]
    assert table["split"].tolist() == ["train", "train", "val", "test"]
    assert table["valence"].tolist() == [0.2, 0.6, -1, 0]
    assert table["text"].fillna("").tolist() == ["", "很好", "", "不错"]
    assert table["english"].fillna("").tolist() == ["", "Very good", "", "Not bad"]
    assert table["video"].fillna("").tolist() == ["", "", "", "Raw/video_0018/0004.mp4"]
    assert table["video_id"].tolist() == ["video_0018", "video_0001", "video_0001", "video_0018"]
    assert table["utterance_no"].tolist() == [12, 1, 2, 4]


def test_without_words(release):
    (release / "metadata" / "Translation.csv").unlink()
    assert load_corpus(f"sims-partial:{release}").table["text"].isna().all()


@pytest.mark.parametrize("index", ["4", "-1", "x", "1.0"])
def test_an_index_that_is_no_row(release, index):
    (release / "metadata" / "val_index.csv").write_text(f"index\n0\n{index}\n")
    with pytest.raises(UserError, match=rf"val_index.csv, row 3: the index is '{index}'. Expected 0 to 3, a row of"):
        load_corpus(f"sims:{release}")


def test_a_row_in_two_splits(release):
    (release / "metadata" / "val_index.csv").write_text("index\n0\n")
    with pytest.raises(UserError, match="two clips called 'video_0001_0001'"):
        load_corpus(f"sims:{release}")

"""The release layout of MER2024, made small."""

import logging

import numpy as np
import pytest

from toolkit.corpora import mer2024
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

SMALL = {"train": 2, "test_semi": 1, "test_noise": 2, "unlabelled": 1}


@pytest.fixture
def release(tmp_path, monkeypatch):
    """The layout with empty files, and no test labels yet."""
    monkeypatch.setattr(mer2024, "SIZES", SMALL)
    for folder, files in {
        "video-labeled": ["samplenew_00000007.mp4", "sample_00000000.avi"],
        "video-unlabeled-with-test2noise": ["p3.mp4", "p1.mp4", "p2.mp4", "p0.mp4"],
    }.items():
        (tmp_path / folder).mkdir()
        for file in files:
            (tmp_path / folder / file).touch()
    (tmp_path / "label-disdim.csv").write_text(
        "name,discrete,valence\nsample_00000000,angry,-2.5\nsamplenew_00000007,happy,-10\n"
    )
    (tmp_path / "label-transcription.csv").write_text("name,chinese\nsample_00000000,你好\nsamplenew_00000007,好\n")
    return tmp_path


def add_test_labels(release):
    (release / "test1_name_convert_label.csv").write_text("name,discrete\np2,sad\n")
    (release / "test2_name_convert_label.csv").write_text("name,discrete\np3,neutral\np0,surprise\n")


def test_without_test_labels_the_pool_is_unlabelled(release):
    corpus = load_corpus(f"mer2024:{release}")
    assert corpus.name == "mer2024"
    assert list(corpus.table["name"]) == ["sample_00000000", "samplenew_00000007", "p0", "p1", "p2", "p3"]
    assert list(corpus.table["split"]) == ["train"] * 2 + ["unlabelled"] * 4
    assert list(corpus.table["text"][:2]) == ["你好", "好"]
    np.testing.assert_array_equal(corpus.table["valence"], [-2.5] + [np.nan] * 5)
    assert all(corpus.path(cell).exists() for cell in corpus.table["video"])


def test_test_labels_part_the_pool(release):
    add_test_labels(release)
    table = load_corpus(f"mer2024:{release}").table.set_index("name")
    assert table["split"].to_dict() == {
        "sample_00000000": "train", "samplenew_00000007": "train", "p2": "test_semi", "p0": "test_noise",
        "p3": "test_noise", "p1": "unlabelled",
    }  # fmt: skip
    assert list(table.loc[["p2", "p0", "p3"], "emotion"]) == ["sad", "surprise", "neutral"]
    assert table["video"]["p0"] == "video-unlabeled-with-test2noise/p0.mp4"


def test_open_set_words_of_clips_that_are_not_there(release, caplog):
    (release / "check-openset.csv").write_text("name,openset\nsample_00000000,\"['mad']\"\nsample_9,\"['calm']\"\n")
    with caplog.at_level(logging.WARNING):
        table = load_corpus(f"mer2024:{release}").table
    assert table["openset"][0] == "['mad']"
    assert "1 of its 2 clips are not in the corpus" in caplog.text


def test_wrong_size(release):
    add_test_labels(release)
    (release / "video-unlabeled-with-test2noise" / "p1.mp4").unlink()
    with pytest.raises(UserError, match=r"is not the whole release: unlabelled 0 of 1 clips. .* mer2024-partial:"):
        load_corpus(f"mer2024:{release}")
    assert load_corpus(f"mer2024-partial:{release}").splits == ["train", "test_semi", "test_noise"]


def test_partial_with_labels_only(tmp_path):
    (tmp_path / "label-disdim.csv").write_text("name,discrete\na,happy\n")
    table = load_corpus(f"mer2024-partial:{tmp_path}").table
    assert list(table["emotion"]) == ["happy"]
    assert table["video"].isna().all()


def test_published_sizes():
    assert mer2024.SIZES["train"] == 5030
    assert sum(mer2024.SIZES.values()) - 5030 == 115595
    assert (mer2024.SIZES["test_semi"], mer2024.SIZES["test_noise"]) == (1169, 1170)


def test_one_clip_in_both_folders(release):
    (release / "video-unlabeled-with-test2noise" / "sample_00000000.mp4").touch()
    (release / "video-unlabeled-with-test2noise" / "p1.mp4").unlink()
    with pytest.raises(UserError, match="two clips called 'sample_00000000'"):
        load_corpus(f"mer2024:{release}")


def test_merged_transcripts_come_first(release):
    """Checked transcripts for the labelled clips, recognised ones for the pool (mer_challenges.md, section 2)."""
    (release / "transcription-merge.csv").write_text("name,chinese\nsample_00000000,你好\np1,走吧\n")
    table = load_corpus(f"mer2024:{release}").table.set_index("name")
    assert table["text"].dropna().to_dict() == {"sample_00000000": "你好", "p1": "走吧"}

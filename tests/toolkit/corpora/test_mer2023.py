"""The release layout of MER2023, made small."""

import numpy as np
import pytest

from toolkit.corpora import mer2023
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

SMALL = {"train": 3, "test_multi": 2, "test_noise": 1, "test_semi": 1, "unlabelled": 2}


@pytest.fixture
def release(tmp_path, monkeypatch):
    """The layout with empty files; test labels beside the folders, those of the training clips inside."""
    monkeypatch.setattr(mer2023, "SIZES", SMALL)
    clips = {
        "train": ["sample_00000002.avi", "sample_00000000.mp4", "sample_00000001.avi"],
        "test1": ["sample_00000010.mp4", "sample_00000011.mp4"],
        "test2": ["sample_00000020.mp4"],
        "test3": ["samplenew_00000000.mp4", "samplenew_00000001.AVI", "samplenew_00000002.mp4"],
    }
    for folder, files in clips.items():
        (tmp_path / folder).mkdir()
        for file in [*files, "._hidden.mp4", "notes.txt"]:
            (tmp_path / folder / file).touch()
    labels = "name,discrete,valence\nsample_00000000,happy,2.25\nsample_00000001,sad,-10\nsample_00000002,worried,0\n"
    (tmp_path / "train" / "train-label.csv").write_text(labels)
    (tmp_path / "test1-label.csv").write_text(
        "name,discrete,valence\nsample_00000011,angry,-4.75\nsample_00000010,neutral,0.5\n"
    )
    (tmp_path / "test3-label.csv").write_text("name,discrete\nsamplenew_00000001,surprise\n")
    return tmp_path


def test_rows_and_splits(release):
    corpus = load_corpus(f"mer2023:{release}")
    table = corpus.table
    assert corpus.name == "mer2023"
    assert list(table["name"]) == [
        "sample_00000000", "sample_00000001", "sample_00000002", "sample_00000010", "sample_00000011",
        "sample_00000020", "samplenew_00000001", "samplenew_00000000", "samplenew_00000002",
    ]  # fmt: skip
    assert list(table["split"]) == [
        "train", "train", "train", "test_multi", "test_multi", "test_noise", "test_semi", "unlabelled", "unlabelled",
    ]  # fmt: skip
    assert list(table["video"][[0, 1, 6]]) == [
        "train/sample_00000000.mp4", "train/sample_00000001.avi", "test3/samplenew_00000001.AVI",
    ]  # fmt: skip
    assert all(corpus.path(cell).exists() for cell in table["video"])


def test_labels_and_the_sentinel_of_valence(release):
    table = load_corpus(f"mer2023:{release}").table.set_index("name")
    assert list(table["emotion"][:5]) == ["happy", "sad", "worried", "neutral", "angry"]
    np.testing.assert_array_equal(table["valence"][:6], [2.25, np.nan, 0, 0.5, -4.75, np.nan])
    assert table["emotion"]["samplenew_00000001"] == "surprise"
    assert table["emotion"][["sample_00000020", "samplenew_00000000"]].isna().all()


def test_before_the_test_labels_were_released(release):
    for split in ("test1", "test3"):
        (release / f"{split}-label.csv").unlink()
    table = load_corpus(f"mer2023:{release}").table
    assert table["split"].value_counts().to_dict() == {"train": 3, "unlabelled": 3, "test_multi": 2, "test_noise": 1}
    assert table["emotion"].notna().sum() == 3


def test_transcripts_and_open_set_words(release):
    (release / "transcription.csv").write_text("name,chinese,english\nsample_00000000,你好,hello\nsample_00000001,,\n")
    (release / "check-openset.csv").write_text("name,openset\nsample_00000000,\"['happy', 'proud']\"\n")
    table = load_corpus(f"mer2023:{release}").table
    assert list(table.loc[0, ["text", "english", "openset"]]) == ["你好", "hello", "['happy', 'proud']"]
    assert table.loc[1:, ["text", "english", "openset"]].isna().all(axis=None)


def test_a_label_without_a_clip_is_a_row_without_a_video(release):
    (release / "train" / "sample_00000001.avi").unlink()
    table = load_corpus(f"mer2023:{release}").table.set_index("name")
    assert table.loc["sample_00000001", "emotion"] == "sad"
    assert np.isnan(table.loc["sample_00000001", "video"])


def test_wrong_size(release):
    (release / "test2" / "sample_00000020.mp4").unlink()
    (release / "test1" / "sample_00000099.mp4").touch()
    expected = r"is not the whole release: test_multi 3 of 2, test_noise 0 of 1 clips. .* mer2023-partial:"
    with pytest.raises(UserError, match=expected):
        load_corpus(f"mer2023:{release}")
    corpus = load_corpus(f"mer2023-partial:{release}")
    assert (corpus.name, len(corpus)) == ("mer2023-partial", 9)


def test_published_sizes():
    assert mer2023.SIZES == {"train": 3373, "test_multi": 411, "test_noise": 412, "test_semi": 834, "unlabelled": 73148}


@pytest.mark.parametrize("reader", ["mer2023", "mer2023-partial"])
def test_empty_folder(tmp_path, reader):
    with pytest.raises(UserError, match=r"holds no clips and no labels. Expected the folder that"):
        load_corpus(f"{reader}:{tmp_path}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("sample_1,hapy,1\n", r"row 2: unknown emotion 'hapy'. Did you mean 'happy'\?"),
        ("sample_1,fear,1\n", r"row 2: unknown emotion 'fear'. Known: angry, happy"),
        ("sample_1,sad,7\n", r"row 2: the valence '7' is wrong. Expected -5 to 5, or -10"),
        ("sample_1,sad,low\n", r"row 2: the valence 'low' is wrong"),
        ("sample_1,sad,1\nsample_1,sad,1\n", r"row 3: the name 'sample_1' is there twice"),
        (",sad,1\n", r"row 2: the name is empty"),
    ],
    ids=["misspelt", "other_class", "valence_range", "valence_word", "duplicated_name", "empty_name"],
)
def test_bad_labels(release, rows, message):
    (release / "train" / "train-label.csv").write_text("name,discrete,valence\n" + rows)
    with pytest.raises(UserError, match=r"train-label\.csv, " + message):
        load_corpus(f"mer2023:{release}")

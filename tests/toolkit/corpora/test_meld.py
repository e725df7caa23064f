"""MELD: its release made small, MERTools' form of it, and the real tables."""

import pytest

from toolkit.corpora import meld
from toolkit.corpus import load_corpus
from toolkit.errors import UserError

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
TRAIN = (
    '1,You\x92re  here\x85,Ross,joy,positive,10,0,8,21,"00:16:16,059","00:16:21,731"\n'
    '2,What?,Monica,surprise,negative,2,1,8,21,"00:16:16,059","00:16:21,731"\n'
    '3,"Well, no",Chandler,neutral,neutral,2,0,8,21,"00:16:16,059","00:16:21,731"\n'
)


@pytest.fixture
def release(tmp_path):
    """Tables where the release has them: the training one beside its clips, the others above."""
    (tmp_path / "train" / "train_splits").mkdir(parents=True)
    (tmp_path / "output_repeated_splits_test").mkdir()
    (tmp_path / "train" / "train_sent_emo.csv").write_text(HEADER + TRAIN, encoding="utf-8")
    (tmp_path / "dev_sent_emo.csv").write_text(HEADER + "1,Hey,Joey,disgust,negative,0,0,1,2,0,1\n")
    (tmp_path / "test_sent_emo.csv").write_text(HEADER + "1,No,Joey,fear,negative,0,3,1,2,0,1\n")
    for file in ("train/train_splits/dia2_utt1.mp4", "output_repeated_splits_test/dia0_utt3.mp4"):
        (tmp_path / file).touch()
    return tmp_path


def test_rows_stand_in_the_order_of_the_dialogues(release):
    corpus = load_corpus(f"meld-partial:{release}")
    table = corpus.table
    assert table["name"].tolist() == [
        "train_dia2_utt0", "train_dia2_utt1", "train_dia10_utt0", "val_dia0_utt0", "test_dia0_utt3",
    ]  # fmt: skip
    assert table["split"].tolist() == ["train", "train", "train", "val", "test"]
    assert table["dialogue"].tolist() == ["train_dia2", "train_dia2", "train_dia10", "val_dia0", "test_dia0"]
    assert table["utterance"].tolist() == [0, 1, 0, 0, 3]
    assert table["emotion"].tolist() == ["neutral", "surprise", "happy", "disgust", "fear"]
    assert table["speaker"].tolist() == ["Chandler", "Monica", "Ross", "Joey", "Joey"]
    assert table["sentiment"].tolist() == ["neutral", "negative", "positive", "negative", "negative"]
    assert corpus.emotions == ("angry", "happy", "sad", "neutral", "disgust", "fear", "surprise")


def test_text_is_mended(release):
    text = load_corpus(f"meld-partial:{release}").table["text"]
    assert text.tolist() == ["Well, no", "What?", "You’re  here…", "Hey", "No"]


def test_clips(release):
    table = load_corpus(f"meld-partial:{release}").table
    assert table["video"].fillna("").tolist() == [
        "", "train/train_splits/dia2_utt1.mp4", "", "", "output_repeated_splits_test/dia0_utt3.mp4",
    ]  # fmt: skip


def test_as_mertools_prepares_it(processed):
    parts = {
        "train_corpus": {"train_dia10_utt0": (0, -10), "train_dia2_utt1": (1, -10), "train_dia2_utt0": (2, -10)},
        "val_corpus": {"val_dia0_utt0": (3, -10), "val_dia0_utt1": (4, -10)},
        "test_corpus": {"test_dia5_utt7": (5, -10), "test_dia5_utt10": (6, -10)},
    }
    words = "name,chinese,english\ntrain_dia2_utt0,是的,It\x92s fine\n"
    corpus = load_corpus(f"meld-partial:{processed('label.npz', parts, words)}")
    table = corpus.table
    assert table["name"].tolist() == [
        "train_dia2_utt0", "train_dia2_utt1", "train_dia10_utt0", "val_dia0_utt0", "val_dia0_utt1", "test_dia5_utt7",
        "test_dia5_utt10",
    ]  # fmt: skip
    assert table["emotion"].tolist() == ["sad", "happy", "angry", "neutral", "disgust", "fear", "surprise"]
    assert table["dialogue"].tolist() == ["train_dia2"] * 2 + ["train_dia10"] + ["val_dia0"] * 2 + ["test_dia5"] * 2
    assert table["utterance"].tolist() == [0, 1, 0, 0, 1, 7, 10]
    assert table["text"].tolist()[0] == "It’s fine"
    assert table["valence"].isna().all()


def test_published_sizes(release):
    assert meld.SIZES == {"train": 9989, "val": 1109, "test": 2610}
    with pytest.raises(UserError, match=r"train 3 of 9989, val 1 of 1109, test 1 of 2610 clips"):
        load_corpus(f"meld:{release}")


def test_no_labels(tmp_path):
    with pytest.raises(UserError, match=r"no labels of MELD. Expected .*train_sent_emo.csv, .* or label.npz in it"):
        load_corpus(f"meld:{tmp_path}")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,Hey,Joey,joyy,positive,0,0,1,2,0,1\n", r"row 2: unknown emotion 'joyy'. .*angry, disgust, fear, happy"),
        ("1,Hey,Joey,worried,positive,0,0,1,2,0,1\n", r"row 2: unknown emotion 'worried'"),
        ("1,Hey,Joey,joy,positive,x,0,1,2,0,1\n", r"row 2: the dialogue_id 'x' is no number"),
        ("1,Hey,Joey,joy,positive,0,,1,2,0,1\n", r"row 2: the utterance_id '.*' is no number"),
        ("1,Hey, you,Joey,joy,positive,0,0,1,2,0,1\n", r"row 2: has 12 cells, the header has 11"),
    ],
    ids=["misspelt", "other_class", "dialogue", "utterance", "comma"],
)
def test_bad_rows(release, row, message):
    (release / "dev_sent_emo.csv").write_text(HEADER + row)
    with pytest.raises(UserError, match=r"dev_sent_emo\.csv, " + message):
        load_corpus(f"meld:{release}")


def test_a_clip_twice(release):
    (release / "dev_sent_emo.csv").write_text(HEADER + "1,Hey,Joey,joy,positive,0,0,1,2,0,1\n" * 2)
    with pytest.raises(UserError, match="two clips called 'val_dia0_utt0'"):
        load_corpus(f"meld:{release}")


@pytest.mark.parametrize("name", ["val_dia0_utt0", "dia0_utt0", "train_dia0"])
def test_bad_names(processed, name):
    root = processed("label.npz", {"train_corpus": {name: (0, -10)}})
    with pytest.raises(UserError, match=rf"'{name}' is no train clip of MELD. Expected a name as train_dia0_utt0"):
        load_corpus(f"meld:{root}")


@pytest.fixture(scope="module")
def real(shared_data):
    return load_corpus(f"meld:{shared_data / 'meld_emorynlp_text'}").table


def test_real_counts(real):
    counts = real.groupby("split")["emotion"].value_counts()
    order = ("angry", "happy", "sad", "neutral", "disgust", "fear", "surprise")
    assert [counts["train"][emotion] for emotion in order] == [1109, 1743, 683, 4710, 271, 268, 1205]
    assert [counts["val"][emotion] for emotion in order] == [153, 163, 111, 470, 22, 40, 150]
    assert [counts["test"][emotion] for emotion in order] == [345, 402, 208, 1256, 68, 50, 281]


def test_real_rows(real):
    rows = real.set_index("name")
    assert rows.loc["train_dia0_utt1", ["text", "speaker", "emotion"]].tolist() == [
        "You must’ve had your hands full.", "The Interviewer", "neutral",
    ]  # fmt: skip
    assert rows.loc["test_dia0_utt0", "text"] == "Why do all you’re coffee mugs have numbers on the bottom?"
    assert not real["text"].str.contains("[\x80-\x9f]").any()
    assert real[["text", "speaker", "emotion", "sentiment"]].notna().all(axis=None)


def test_real_order(real):
    assert real["split"].drop_duplicates().tolist() == ["train", "val", "test"]
    assert (real["dialogue"] != real["dialogue"].shift()).sum() == real["dialogue"].nunique()
    assert real.groupby("dialogue", sort=False)["utterance"].is_monotonic_increasing.all()

"""Submissions: written, validated, and refused with the first wrong row."""

from pathlib import Path

import pandas as pd
import pytest

from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError
from toolkit.submission import test_splits as splits_of
from toolkit.submission import validate_submission, write_submission


@pytest.fixture
def corpus(tmp_path):
    """Three test clips of each kind and one to train on."""
    names = ["t1", "m2", "m1", "m3", "s1", "s2", "s3"]
    splits = ["train"] + ["test_multi"] * 3 + ["test_semi"] * 3
    return corpus_from_table("tiny", tmp_path, pd.DataFrame({"name": names, "split": splits}))


MULTI = "name,discrete,valence\nm2,happy,2.5\nm1,sad,-3\nm3,neutral,0\n"
SEMI = "name,discrete\ns1,happy\ns2,sad\ns3,neutral\n"
WORDS = 'name,openset\ns1,"[\'happy\', \'relieved\']"\ns2,[]\ns3,"[""don\'t care""]"\n'


def _file(folder: Path, content: str) -> Path:
    path = folder / "submission.csv"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("track", "content"),
    [
        ("multi", MULTI),
        ("semi", SEMI),
        (
            "semi",
            SEMI.replace("discrete", "discrete,valence")
            .replace("happy", "happy,1")
            .replace("sad", "sad,1")
            .replace("neutral", "neutral,1"),
        ),
        ("ov", WORDS),
        ("multi", "\ufeff" + MULTI),
        ("multi", MULTI.replace(",", " , ")),
        ("multi", MULTI.replace("\n", "\r\n")),
    ],
)
def test_valid_files(corpus, tmp_path, track, content):
    validate_submission(track, corpus, _file(tmp_path, content))


@pytest.mark.parametrize(
    ("track", "content", "row", "message"),
    [
        ("multi", MULTI.replace("discrete", "emotion"), 1, "is name,emotion,valence, expected name,discrete,valence"),
        ("multi", MULTI.replace("name", "Name"), 1, "the header is Name,discrete,valence"),
        ("multi", MULTI.replace(",", ";"), 1, "the header is name;discrete;valence"),
        ("semi", "discrete,name\nhappy,s1\nsad,s2\nsad,s3\n", 1, "the header is discrete,name"),
        ("multi", MULTI.replace("-3", '"1,5"'), 3, "valence is '1,5', expected a number"),
        ("multi", MULTI.replace("m2,happy", "m2,glad").replace("m3", "m1"), 2, "'glad' is no class"),
        ("multi", MULTI.replace("m1,sad", ",sad"), 3, "the name is empty"),
        ("multi", "name,discrete,valence\n\n\nm2,happy,1\n", 5, "2 of 3 clips are missing, the first is 'm1'"),
        ("ov", WORDS.replace("'happy', ", "'happy' "), 2, "is not a list of words"),
        ("multi", MULTI.replace(",valence", ",valence,extra").replace("\nm2", "\nm2", 1), None, "cells"),
        (
            "semi",
            "name,discrete,score\ns1,happy,1\ns2,sad,1\ns3,sad,1\n",
            1,
            "the header is name,discrete,score, expected name,discrete",
        ),
        ("multi", MULTI.replace("m1,sad", "m1,sadd"), 3, "'sadd' is no class of this corpus. Did you mean 'sad'"),
        ("multi", MULTI.replace("m1,sad", "m1,"), 3, "the emotion is empty"),
        ("multi", MULTI.replace("-3", "-5.5"), 3, "valence is '-5.5', expected a number from -5 to 5"),
        ("multi", MULTI.replace("-3", "5.25"), 3, "valence is '5.25', expected a number from -5 to 5"),
        ("multi", MULTI.replace("-3", "nan"), 3, "valence is"),
        ("multi", MULTI.replace("-3", "low"), 3, "valence is 'low'"),
        ("multi", MULTI.replace("m1", "m2"), 3, "'m2' stands in row 2 already"),
        ("multi", MULTI.replace("m1", "t1"), 3, "'t1' is not among the 3 clips to predict"),
        ("multi", MULTI.replace("m3,neutral,0\n", ""), 4, "1 of 3 clips are missing, the first is 'm3'"),
        ("ov", WORDS.replace("[]", ""), 3, "openset is 'nan'"),
        ("ov", WORDS.replace("[]", "happy"), 3, "openset is 'happy'. Expected a list"),
        ("ov", WORDS.replace("'relieved']", "'relieved'"), 2, "is not a list of words"),
    ],
)
def test_first_wrong_row_is_named(corpus, tmp_path, track, content, row, message):
    with pytest.raises(UserError, match=r"submission\.csv") as error:
        validate_submission(track, corpus, _file(tmp_path, content))
    assert message in str(error.value)
    if row is not None:
        assert f"row {row}:" in str(error.value)


def test_written_in_the_order_of_the_corpus(corpus, tmp_path):
    predictions = pd.DataFrame(
        {
            "name": ["m1", "t1", "m3", "m2"],
            "emotion": ["sad", "happy", "neutral", "happy"],
            "valence": [-3.0, 1, 0, 2.5],
        }
    )
    path = tmp_path / "out" / "submission.csv"
    write_submission("multi", corpus, predictions, path)
    assert path.read_text() == "name,discrete,valence\nm2,happy,2.5\nm1,sad,-3.0\nm3,neutral,0.0\n"


def test_words_are_written_as_the_organisers_do(corpus, tmp_path):
    predictions = pd.DataFrame({"name": ["s1", "s2", "s3"], "openset": [["happy", "relieved"], [], ["don't care"]]})
    path = tmp_path / "submission.csv"
    write_submission("ov", corpus, predictions, path)
    assert path.read_text() == WORDS
    validate_submission("ov", corpus, path)


def test_invalid_one_is_never_written(corpus, tmp_path):
    predictions = pd.DataFrame({"name": ["s1", "s2"], "emotion": ["happy", "sad"]})
    with pytest.raises(UserError, match="1 of 3 clips are missing, the first is 's3'"):
        write_submission("semi", corpus, predictions, tmp_path / "submission.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("column", ["name", "emotion"])
def test_predictions_lack_a_column(corpus, tmp_path, column):
    predictions = pd.DataFrame({"name": ["s1"], "emotion": ["happy"]}).drop(columns=column)
    wanted = {"name": "name", "emotion": "discrete"}[column]
    with pytest.raises(UserError, match=f"track semi have no column '{wanted}'"):
        write_submission("semi", corpus, predictions, tmp_path / "submission.csv")


def test_missing_words_are_not_taken_for_none(corpus, tmp_path):
    predictions = pd.DataFrame({"name": ["s1", "s2", "s3"], "openset": [["happy"], float("nan"), []]})
    with pytest.raises(UserError, match=r"submission.csv \(not written\), row 3: openset is 'nan'"):
        write_submission("ov", corpus, predictions, tmp_path / "submission.csv")
    assert list(tmp_path.iterdir()) == []


def test_where_the_test_clips_are(corpus):
    assert splits_of("multi", corpus) == ["test_multi"]
    assert splits_of("ov", corpus) == ["test_semi"]
    assert splits_of("noise", corpus) == []


def test_hidden_in_the_unlabelled_pool(corpus):
    corpus.table["split"] = corpus.table["split"].replace("test_semi", "unlabelled")
    assert splits_of("semi", corpus) == ["unlabelled"]


def test_nothing_to_submit(corpus, tmp_path):
    with pytest.raises(UserError, match="no split test_noise or unlabelled"):
        validate_submission("noise", corpus, _file(tmp_path, SEMI))


def test_unknown_track(corpus, tmp_path):
    with pytest.raises(UserError, match=r"Unknown track 'smi'\. Did you mean 'semi'"):
        validate_submission("smi", corpus, _file(tmp_path, SEMI))


@pytest.mark.parametrize(
    ("splits", "track", "expected"),
    [
        (["train", "unlabelled", "test_semi"], "semi", ["test_semi"]),  # the pool only where the test clips are hidden
        (["train", "unlabelled"], "semi", ["unlabelled"]),
        (["test_semi", "test_ov"], "ov", ["test_ov"]),
        (["train", "test_multi"], "noise", []),
    ],
)
def test_splits_that_a_track_covers(tmp_path, splits, track, expected):
    table = pd.DataFrame({"name": list("abcd")[: len(splits)], "split": splits})
    assert splits_of(track, corpus_from_table("tiny", tmp_path, table)) == expected

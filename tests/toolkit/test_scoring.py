"""Scores of files."""

import pytest

from toolkit.errors import UserError
from toolkit.scoring import score_files

TRUTH = "name,discrete,valence\na,happy,2\nb,sad,-3\nc,happy,1\nd,,\n"
GUESS = "name,discrete,valence\nc,happy,1\na,happy,0\nb,happy,-3\nd,sad,0\n"


@pytest.fixture
def files(tmp_path):
    """Writes a truth and a prediction file."""

    def write(truth: str = TRUTH, guess: str = GUESS):
        (tmp_path / "truth.csv").write_text(truth)
        (tmp_path / "guess.csv").write_text(guess)
        return tmp_path / "truth.csv", tmp_path / "guess.csv"

    return write


def test_multi_by_hand(files):
    scores = score_files("multi", *files())
    # happy: precision 2/3, recall 1, F1 0.8, two clips; sad: F1 0, one clip; d has no label
    assert scores["weighted_f1"] == pytest.approx(2 * 0.8 / 3)
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["mse"] == pytest.approx(4 / 3)
    assert scores["score"] == pytest.approx(1.6 / 3 - 1 / 3)


def test_other_spellings_of_columns_and_classes(files):
    truth = TRUTH.replace("discrete", "emotion").replace("happy", "Happiness")
    assert score_files("semi", *files(truth))["accuracy"] == pytest.approx(2 / 3)


def test_semi_may_hold_more_clips(files):
    more = GUESS + "e,angry,0\n"
    assert score_files("semi", *files(guess=more))["score"] == pytest.approx(1.6 / 3)
    with pytest.raises(UserError, match="1 clips have no truth, the first is 'e'"):
        score_files("noise", *files(guess=more))


def test_missing_clip(files):
    with pytest.raises(UserError, match="the first is 'a'"):
        score_files("semi", *files(guess="name,discrete\nb,sad\nc,sad\n"))


def test_doubled_clip(files):
    with pytest.raises(UserError, match="row 6: 'a' stands in row 3 already"):
        score_files("semi", *files(guess=GUESS + "a,sad,0\n"))


def test_no_valence(files):
    with pytest.raises(UserError, match="no valence for 1 clips, the first is 'b'"):
        score_files("multi", *files(guess=GUESS.replace("happy,-3", "happy,")))


def test_published_example(shared_data):
    example, wheels = shared_data / "ov_example", shared_data / "emotion_wheels"
    scores = score_files(
        "ov",
        example / "reference.csv",
        example / "prediction.csv",
        groups=example / "synonym_groups.json",
        wheel=wheels / "wheel_mapping.json",
    )
    assert scores["set_score"] == pytest.approx(0.5397841365461847, abs=1e-12)
    assert round(scores["wheel_mean"], 4) == 0.4896


def test_blanks_around_cells(files):
    assert score_files("noise", *files(guess=GUESS.replace("a,happy", " a , happy ")))["accuracy"] == pytest.approx(
        2 / 3
    )


def test_unknown_emotion(files):
    with pytest.raises(UserError, match=r"row 2: unknown emotion 'hapy'\. Did you mean 'happy'"):
        score_files("semi", *files(guess=GUESS.replace("c,happy", "c,hapy")))


def test_classes_of_ones_own(files):
    own = TRUTH.replace("sad", "dreamy")
    assert score_files("semi", *files(own, GUESS.replace("c,happy", "c,drowsy")))["accuracy"] == pytest.approx(1 / 3)


def test_mark_of_no_label_is_not_a_class(files):
    assert score_files("semi", *files(TRUTH.replace("d,,", "d,unknown,")))["accuracy"] == pytest.approx(2 / 3)


def test_valence_of_a_clip_without_an_emotion_is_not_scored(files):
    assert score_files("multi", *files(TRUTH.replace("d,,", "d,,1"), GUESS.replace("d,sad,0\n", "")))["mse"] == 4 / 3


def test_no_label_at_all(files):
    with pytest.raises(UserError, match="has no clip with an emotion"):
        score_files("semi", *files("name,discrete\na,\n", "name,discrete\na,sad\n"))


def test_empty_name(files):
    with pytest.raises(UserError, match="row 6: the name is empty"):
        score_files("semi", *files(guess=GUESS + ",sad,0\n"))


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[]", b'{"a": ["happy"]}'])
def test_not_a_file_of_groups(files, tmp_path, content):
    words = "name,openset\na,['happy']\n"
    (tmp_path / "groups.json").write_bytes(content)
    with pytest.raises(UserError, match=r"groups\.json.*Expected JSON such as"):
        score_files("ov", *files(words, words), groups=tmp_path / "groups.json")


def test_clip_of_words_is_missing(files):
    words = "name,openset\na,['happy']\n"
    with pytest.raises(UserError, match="1 clips have no prediction, the first is 'b'"):
        score_files("ov", *files(words + "b,[]\n", words))


def test_two_columns_of_classes(files):
    both = "name,discrete,emotion\na,happy,sad\n"
    with pytest.raises(UserError, match=r"guess\.csv, row 1: columns 'discrete' and 'emotion' are both there"):
        score_files("semi", *files("name,discrete\na,happy\n", both))


@pytest.mark.parametrize("option", ["groups", "wheel"])
def test_groups_and_wheels_are_for_words(files, tmp_path, option):
    with pytest.raises(UserError, match="belong to track ov, got track semi"):
        score_files("semi", *files(), **{option: tmp_path / "some.json"})


def test_column_is_missing(files):
    with pytest.raises(UserError, match=r"guess\.csv has no column 'valence'\. It has: name, discrete\."):
        score_files("multi", *files(guess="name,discrete\na,happy\nb,sad\nc,happy\n"))


def test_single_clip(files):
    assert score_files("semi", *files("name,discrete\na,sad\n", "name,discrete\na,sad\n"))["score"] == 1


def test_words_that_are_not_on_the_built_in_wheel(files, caplog):
    words = "name,openset\na,['开心']\n"
    assert score_files("ov", *files(words, words)) == {"set_accuracy": 1, "set_recall": 1, "set_score": 1}
    assert "No true word is on the built-in wheel" in caplog.text


def test_mark_of_no_valence_is_not_scored(files):
    assert score_files("multi", *files(TRUTH.replace("sad,-3", "sad,-10")))["mse"] == (4 + 0) / 2


def test_only_one_split(files):
    truth = "name,discrete,split\na,happy,test\nb,sad,train\n"
    paths = files(truth, "name,discrete\na,happy\n")
    assert score_files("noise", *paths, splits=["test"])["accuracy"] == 1
    with pytest.raises(UserError, match="no clip of split 'tst'"):
        score_files("noise", *paths, splits=["tst"])

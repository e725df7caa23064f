"""Word lists and set-level scores."""

import json

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import format_words, parse_words, set_scores


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("['happy', 'satisfied']", ["happy", "satisfied"]),
        ('["Happy" , " satisfied "]', ["happy", "satisfied"]),
        ("[happy, don't care]", ["happy", "don't care"]),
        ('["don\'t care"]', ["don't care"]),
        ("happy,sad,,happy", ["happy", "sad"]),
        ("[]", []),
        ("", []),
        (None, []),
        (float("nan"), []),
        (["Calm", "calm"], ["calm"]),
        (np.array(["sad", "Calm"]), ["sad", "calm"]),
        (pd.NA, []),
        ("['don't care', 'sad']", ["don't care", "sad"]),
        ("angry", ["angry"]),
        ("[" + "-" * 100_000 + "1]", ["-" * 100_000 + "1"]),  # too deep for Python's parser, one way and the other
        ("1" + "+1" * 100_000, ["1" + "+1" * 100_000]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_lists_as_people_write_them(text, words):
    assert parse_words(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "['happy', 'sad'",
        "happy]",
        "['happy, sad']x'",
        "'happy",
        "['happy' 'sad']",  # Python would read happysad
        "[['happy'], ['sad']]",
        "{'happy': 1}",
        "['happy', 3]",
        '["happy", null]',
        "[happy][sad]",
        "5",
        "{['happy']}",
        "[" * 1000 + "]" * 1000,
    ],
    ids=lambda text: text[:20],
)
def test_malformed_list(text):
    with pytest.raises(UserError, match="Expected") as raised:
        parse_words(text)
    assert len(str(raised.value)) < 160


def test_written_lists_are_read_back():
    words = ["don't care", 'so "happy"', "calm"]
    assert parse_words(format_words(words)) == words


def test_by_hand():
    truth = {"a": ["happy", "joyful", "calm"], "b": ["sad"], "c": []}
    guess = {"a": ["happy", "angry"], "b": [], "c": ["sad"]}
    scores = set_scores(truth, guess)
    assert scores.accuracy == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert scores.recall == pytest.approx((1 / 3 + 0 + 0) / 3)
    assert scores.score == pytest.approx((scores.accuracy + scores.recall) / 2)


def test_groups_make_synonyms_one_word():
    truth, guess = {"a": ["happy", "joyful", "calm"]}, {"a": ["glad", "angry"]}
    groups = {"a": [["happy", "joyful", "glad"], ["calm"], ["angry"]]}
    assert set_scores(truth, guess, groups)[:2] == (1 / 2, 1 / 2)


def test_groups_in_any_case_and_with_apostrophes():
    truth, guess = {"a": ["don't care", "happy"]}, {"a": ["indifferent", "Glad"]}
    groups = {"a": [["Don't care", "indifferent"], ["Happy", "glad"]]}
    assert set_scores(truth, guess, groups) == (1, 1, 1)


def test_words_cut_at_apostrophes_match_groups_of_pieces():
    groups = {"a": [["don", "t believe"], ["doubt"]]}  # as the organisers' reader leaves "don't believe"
    assert set_scores({"a": ["don't believe"]}, {"a": ["doubt", "don"]}, groups)[:2] == (1 / 2, 1)


def test_only_clips_with_groups_are_scored():
    truth, guess = {"a": ["happy"], "b": ["sad"]}, {"a": ["happy"], "b": ["happy"]}
    assert set_scores(truth, guess, {"a": [["happy"]]}).score == 1


def test_missing_clip_is_named():
    with pytest.raises(UserError, match="2 clips have no prediction, the first is 'b'"):
        set_scores({"a": ["x"], "b": ["x"], "c": ["x"]}, {"a": ["x"]})


def _words(path):
    table = pd.read_csv(path)
    return {name: parse_words(cell) for name, cell in zip(table["name"], table["openset"], strict=True)}


def test_published_example(shared_data):
    folder = shared_data / "ov_example"
    truth, guess = _words(folder / "reference.csv"), _words(folder / "prediction.csv")
    groups = json.loads((folder / "synonym_groups.json").read_text())
    published = (0.581777108433735, 0.4977911646586345, 0.5397841365461847)
    assert set_scores(truth, guess, groups) == pytest.approx(published, abs=1e-12)
    exact = set_scores(truth, guess)
    assert tuple(round(value, 4) for value in exact) == (0.2542, 0.1757, 0.2149)

"""Emotion words in and out of the vocabularies."""

import pytest

from toolkit.labels import (
    ALIASES,
    MER_EMOTIONS,
    MER_VALENCE,
    OTHER_EMOTIONS,
    class_order,
    is_missing,
    normalise_emotion,
)


def test_mer_order_is_label_id():
    assert MER_EMOTIONS == ("neutral", "angry", "happy", "sad", "worried", "surprise")
    assert MER_VALENCE == (-5.0, 5.0)


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("anger", "angry"), ("Happiness", "happy"), ("joy", "happy"), ("SADNESS ", "sad"), ("worry", "worried"),
        ("surprised", "surprise"), ("neu", "neutral"), ("exc", "excited"), ("fearful", "fear"), ("neutral", "neutral"),
        ("deeply  Moved", "deeply moved"), ("anxiety", "anxious"),
    ],
)  # fmt: skip
def test_normalise(word, emotion):
    assert normalise_emotion(word) == emotion


def test_every_alias_leads_into_the_vocabulary_and_only_once():
    aliases = [alias for words in ALIASES.values() for alias in words]
    assert len(aliases) == len(set(aliases))
    assert set(ALIASES) <= {*MER_EMOTIONS, *OTHER_EMOTIONS}
    assert not set(aliases) & {*MER_EMOTIONS, *OTHER_EMOTIONS}


@pytest.mark.parametrize("cell", [None, float("nan"), "", "  ", "NaN", "n/a", "Unlabelled", "-"])
def test_missing(cell):
    assert is_missing(cell)


@pytest.mark.parametrize("cell", ["neutral", "0", 0.0, -10.0])
def test_not_missing(cell):
    assert not is_missing(cell)


def test_class_order():
    assert class_order({"surprise", "neutral", "happy"}) == ("neutral", "happy", "surprise")
    assert class_order({"fear", "contempt", "sad"}) == ("sad", "contempt", "fear")
    assert class_order(set()) == ()

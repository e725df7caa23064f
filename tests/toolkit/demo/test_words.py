"""Sentences and open-set words."""

import numpy as np
import pytest

from toolkit.demo.words import AMBIGUOUS, OPENSET, SAYINGS, describe, say_something
from toolkit.labels import MER_EMOTIONS
from toolkit.metrics.wheel import load_wheels


def test_chinese_and_english_beside_each_other():
    for seed in range(40):
        sentence = say_something("happy", 0.9, np.random.default_rng(seed))
        assert any("一" <= letter <= "鿿" for letter in sentence.chinese)
        assert sentence.chinese[-1] in "。！？"
        assert sentence.english.isascii()
        assert sentence.english[0].isupper()
        assert sentence.english[-1] in ".!?"


def test_weak_words_go_with_anything():
    bodies = {body for body, _ in AMBIGUOUS}
    for seed in range(40):
        sentence = say_something("sad", 0.2, np.random.default_rng(seed))
        assert any(body in sentence.chinese for body in bodies)


@pytest.mark.parametrize("table", [SAYINGS, OPENSET])
def test_every_emotion_has_words(table):
    assert set(table) == set(MER_EMOTIONS)


def test_other_emotions_shown_add_words_of_theirs():
    drawn = {word for seed in range(40) for word in describe("sad", 0.5, ["angry", "sad"], np.random.default_rng(seed))}
    assert "dissatisfied" in drawn
    assert drawn <= {"sad", "sorrowful", "hurt", "disappointed", "lonely", "helpless", "dissatisfied"}


def test_every_open_set_word_is_on_the_built_in_wheel():
    wheels = load_wheels(None)
    words = {word for levels in OPENSET.values() for level in levels for word in level}
    lost = [word for word in words if not any(wheels.groups([word], wheel, "level1") for wheel in wheels.wheels)]
    assert lost == []

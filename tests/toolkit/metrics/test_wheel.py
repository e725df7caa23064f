"""Emotion wheels."""

import pandas as pd
import pytest

from toolkit.errors import UserError
from toolkit.labels import MER_EMOTIONS
from toolkit.metrics.open_vocabulary import parse_words
from toolkit.metrics.wheel import LEVELS, Wheels, builtin_wheels, load_wheels, wheel_scores, wheels_from_outline

OUTLINE = {"happy": {"cheerful": {"joyful": ["joy"]}, "excited": {}}, "sad": {"lonely": {"alone": []}}}


def test_outline_becomes_a_wheel():
    wheels = wheels_from_outline(OUTLINE)
    assert [wheels.group(word, "basic", "level1") for word in ("joy", "Joyful ", "excited", "alone", "stone")] == [
        "happy",
        "happy",
        "happy",
        "sad",
        None,
    ]
    assert [wheels.group(word, "basic", "level2") for word in ("joy", "cheerful", "happy", "sad")] == [
        "cheerful",
        "cheerful",
        "cheerful",
        "lonely",
    ]
    assert wheels.neighbours("joy") == ["cheerful", "happy", "joyful"]
    assert wheels.neighbours("stone") == []


def test_scores_by_hand():
    wheels = wheels_from_outline(OUTLINE)
    truth = {"a": ["joy", "alone"], "b": ["excited"], "c": ["stone"]}  # c is on no wheel and left out
    guess = {"a": ["cheerful"], "b": ["lonely", "joyful"], "c": ["joy"]}
    # level 1: a {happy, sad} against {happy}: P 1, R 1/2; b {happy} against {happy, sad}: P 1/2, R 1
    # level 2: a {cheerful, lonely} against {cheerful}: P 1, R 1/2; b {excited} against {lonely, cheerful}: 0, 0
    scores = wheel_scores(truth, guess, wheels)
    assert scores.level1 == pytest.approx(0.75)
    assert scores.level2 == pytest.approx(2 * (1 / 2) * (1 / 4) / (1 / 2 + 1 / 4))
    assert scores.mean == pytest.approx((scores.level1 + scores.level2) / 2)


def test_first_wheel_word_by_the_alphabet_decides():
    wheels = Wheels(
        {"x": ["b1", "b2"]}, {"b1": ["zeal"], "b2": ["awe", "joy"]}, {"w": {"level1": {"joy": "J", "zeal": "Z"}}}
    )
    assert wheels.group("x", "w", "level1") == "J"


def test_nothing_on_the_wheel():
    with pytest.raises(UserError, match="No true word is on the wheel"):
        wheel_scores({"a": ["stone"]}, {"a": ["joy"]}, wheels_from_outline(OUTLINE))


def test_builtin_wheel_knows_the_six_classes():
    wheels = builtin_wheels()
    expected = {
        "neutral": "neutral",
        "angry": "angry",
        "happy": "happy",
        "sad": "sad",
        "worried": "afraid",
        "surprise": "surprised",
    }
    assert {emotion: wheels.group(emotion, "basic", "level1") for emotion in MER_EMOTIONS} == expected
    assert "anxious" in wheels.neighbours("nervous")


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("sad", "sadness"),
        ("afraid", "fear"),
        ("surprised", "surprise"),
        ("disgusted", "disgust"),
        ("happy", "happiness"),
        ("angry", "anger"),
    ],
)
def test_a_basic_emotion_stands_with_its_noun(word, other):
    wheels = builtin_wheels()
    assert [wheels.group(word, "basic", level) for level in LEVELS] == [
        wheels.group(other, "basic", level) for level in LEVELS
    ]


def test_neighbours_of_sad():
    expected = ["depressed", "grieving", "heartbroken", "miserable", "painful", "sad", "sorrowful"]
    assert builtin_wheels().neighbours("sad") == expected


def test_builtin_wheel_has_every_word_once():
    wheels = builtin_wheels()
    assert {form: bases for form, bases in wheels.forms.items() if len(set(bases)) > 1} == {}
    assert len(wheels.forms) > 250
    places = wheels.wheels["basic"]
    assert set(places["level1"]) == set(places["level2"])


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"\xff\xfe",
        b"[]",
        b'{"format_mapping": {}}',
        b'{"format_mapping": 1, "raw_mapping": {}, "wheel_map_whole": {"w": {"level1": {}, "level2": {}}}}',
        b'{"format_mapping": {}, "raw_mapping": {}, "wheel_map_whole": {"w": {"level1": {}}}}',
        b'{"format_mapping": {}, "raw_mapping": {}, "wheel_map_whole": {}}',
        b'{"format_mapping": {"joy": 3}, "raw_mapping": {}, "wheel_map_whole": {"w": {"level1": {}, "level2": {}}}}',
        b'{"format_mapping": {}, "raw_mapping": {"a": [3]}, "wheel_map_whole": {"w": {"level1": {}, "level2": {}}}}',
    ],
)
def test_not_a_wheel_file(tmp_path, content):
    path = tmp_path / "wheel.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not a wheel file"):
        load_wheels(path)


def test_no_wheel_file(tmp_path):
    with pytest.raises(UserError, match="No wheel file at"):
        load_wheels(tmp_path / "wheel.json")


def test_published_example(shared_data):
    wheels = load_wheels(shared_data / "emotion_wheels" / "wheel_mapping.json")
    tables = (pd.read_csv(shared_data / "ov_example" / f"{side}.csv") for side in ("reference", "prediction"))
    truth, guess = ({n: parse_words(w) for n, w in zip(t["name"], t["openset"], strict=True)} for t in tables)
    scores = wheel_scores(truth, guess, wheels)
    assert tuple(round(value, 4) for value in scores[:3]) == (0.5546, 0.4246, 0.4896)
    assert [round(value, 4) for value in scores.wheels["level1"].values()] == [0.5640, 0.5773, 0.5545, 0.5482, 0.5290]


def test_builtin_wheel_knows_most_words_of_annotators(shared_data):
    cells = pd.read_csv(shared_data / "ov_example" / "reference.csv")["openset"]
    words = [word for cell in cells for word in parse_words(cell)]
    known = [word for word in words if builtin_wheels().group(word, "basic", "level1")]
    assert len(known) > 0.8 * len(words)  # the organisers' wheels know 0.87 of them


def test_content_stands_with_satisfied():
    assert builtin_wheels().group("contentment", "basic", "level2") == "satisfied"

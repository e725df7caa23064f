"""Tallies of predictions: the scores that the tasks themselves give."""

import numpy as np
import pandas as pd
import pytest

from baseline.sentiment import SentimentTask
from baseline.tallies import task_tallies
from baseline.task import EmotionTask, Prediction, Truth
from baseline.vocabulary import VocabularyTask
from toolkit.metrics.wheel import load_wheels

EMOTIONS = ("neutral", "angry", "happy")
CLIPS = 60


def prediction_of(labels, seed=0):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(labels), CLIPS).astype(np.float32)
    return Prediction(probabilities, generator.normal(size=CLIPS).astype(np.float32), np.ones(CLIPS, bool))


def table_of(emotion=None, valence=None, openset=None):
    none = np.full(CLIPS, np.nan)
    columns = {"emotion": emotion, "valence": valence, "openset": openset}
    return pd.DataFrame({"name": NAMES, **{k: none if v is None else v for k, v in columns.items()}})


NAMES = [f"clip_{number:02d}" for number in range(CLIPS)]


def scores_of(tallies):
    return {name: tally.score for name, tally in tallies.items()}


@pytest.mark.parametrize("combined", [False, True])
def test_emotions(combined):
    """A third of the clips has no emotion, another third no valence."""
    generator = np.random.default_rng(1)
    numbers, valence = generator.integers(3, size=CLIPS), generator.normal(size=CLIPS).astype(np.float32)
    numbers[::3], valence[1::3] = -1, np.nan
    emotion = pd.Series([EMOTIONS[n] if n >= 0 else np.nan for n in numbers], dtype=object)
    task, prediction = EmotionTask(EMOTIONS, combined=combined), prediction_of(3)
    expected = task.scores(prediction, Truth(numbers, valence, np.zeros((CLIPS, 0))))
    assert scores_of(task_tallies(task, prediction, table_of(emotion, valence))) == pytest.approx(expected, abs=1e-6)


def test_emotions_without_valence():
    emotion = pd.Series(np.resize(EMOTIONS, CLIPS), dtype=object)
    tallies = task_tallies(EmotionTask(EMOTIONS), prediction_of(3), table_of(emotion))
    assert sorted(tallies) == ["accuracy", "score", "weighted_f1"]


def test_nothing_known():
    assert task_tallies(EmotionTask(EMOTIONS), prediction_of(3), table_of()) == {}
    assert task_tallies(SentimentTask((-3, 3)), prediction_of(0), table_of()) == {}


@pytest.mark.parametrize("span", [(-3.0, 3.0), (-1.0, 1.0)])
def test_sentiments(span):
    valence = (np.random.default_rng(2).integers(-3, 4, size=CLIPS) / 3 * span[1]).astype(np.float32)
    valence[::7] = np.nan
    task, prediction = SentimentTask(span), prediction_of(0)
    expected = task.scores(prediction, Truth(np.full(CLIPS, -1), valence, np.zeros((CLIPS, 0))))
    found = scores_of(task_tallies(task, prediction, table_of(valence=valence)))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("grouped", [False, True])
def test_words(grouped):
    generator = np.random.default_rng(3)
    labels = ("happy", "joyful", "sad", "angry")
    words = {name: [w for w in labels if generator.random() < 0.5] or ["happy"] for name in NAMES[:40]}
    groups = {name: [["happy", "joyful"], ["sad"], ["angry"]] for name in NAMES[:40]} if grouped else None
    task, prediction = VocabularyTask(labels, words, load_wheels(), groups=groups, threshold=0.6), prediction_of(4)
    expected = task.scores(prediction, None, NAMES)
    found = scores_of(task_tallies(task, prediction, table_of()))
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-6)
    assert {"set_score", "wheel_f1", "score"} == set(found)

import math

import numpy as np
import pandas as pd
import pytest
import torch

from baseline.task import Prediction, Truth
from baseline.vocabulary import VocabularyTask, choose_words, learn_vocabulary, words_of_classes, words_of_clips
from toolkit.corpus import corpus_from_table
from toolkit.errors import UserError
from toolkit.metrics.wheel import load_wheels, wheels_from_outline
from toolkit.models.network import NetworkOutput, build_network

WHEELS = wheels_from_outline({"up": {"glad": {"happy": []}}, "down": {"low": {"sad": [], "tired": []}}})
WORDS = {"a": ["happy", "glad"], "b": ["sad"], "c": []}


def corpus_of(**columns):
    return corpus_from_table(
        "own", None, pd.DataFrame({"name": ["a", "b", "c", "d"], **columns}), emotions=("happy", "sad")
    )


def task(**options):
    return VocabularyTask(("happy", "sad"), WORDS, WHEELS, **options)


def prediction(probabilities):
    values = np.array(probabilities, np.float32)
    return Prediction(values, np.full(len(values), np.nan), np.ones(len(values), bool))


def test_words_that_reach_a_share_of_the_most_probable():
    chosen = choose_words(np.array([[0.3, 0.9, 0.5], [0.2, 0.11, 0.04]]), 0.5)
    assert chosen.tolist() == [[False, True, True], [True, True, False]]
    assert choose_words(np.array([[0.3, 0.9, 0.5]]), 1.0).tolist() == [[False, True, False]]


def test_no_word_where_none_is_clear():
    assert choose_words(np.array([[0.04, 0.03], [0.05, 0.01]]), 0.5).tolist() == [[False, False], [True, False]]


def test_vocabulary_by_how_many_clips_have_a_word():
    clips = [["happy", "glad", "happy"], ["happy", "sad"], ["sad", "odd"], ["glad"]]
    assert learn_vocabulary(clips, 2) == ("glad", "happy", "sad")
    assert learn_vocabulary([*clips, ["sad"]], 2) == ("sad", "glad", "happy")


def test_no_word_is_frequent_enough():
    with pytest.raises(UserError, match=r"No open-set word stands with 3 or more of the 2 training clips"):
        learn_vocabulary([["happy"], ["happy"]], 3)


def test_words_of_clips():
    corpus = corpus_of(openset=["['Happy', 'glad']", "[]", np.nan, "sad, tired"])
    assert words_of_clips(corpus) == {"a": ["happy", "glad"], "b": [], "d": ["sad", "tired"]}


def test_words_that_are_no_list():
    with pytest.raises(UserError, match=r"Corpus 'own', clip 'b': .*is not a list of words"):
        words_of_clips(corpus_of(openset=["[]", "['happy'", "[]", "[]"]))


def test_classes_stand_for_their_neighbours():
    corpus = corpus_of(emotion=["happy", "sad", np.nan, "sad"])
    expected = {"a": ["happy", "glad", "up"], "b": ["sad", "down", "low"], "d": ["sad", "down", "low"]}
    assert words_of_classes(corpus, WHEELS, 2) == expected
    assert words_of_classes(corpus, WHEELS, 0) == {"a": ["happy"], "b": ["sad"], "d": ["sad"]}
    assert words_of_classes(corpus, load_wheels(), 2)["a"][0] == "happy"


def test_targets():
    targets = task().targets(corpus_of(valence=[1.0, 2.0, 3.0, 4.0]), "cpu")
    assert targets.words[:3].tolist() == [[1, 0], [0, 1], [0, 0]]
    assert targets.words[3].isnan().all()
    assert task().known(targets).tolist() == [True, True, True, False]
    assert targets.valence.isnan().all()
    np.testing.assert_allclose(task().prior(targets), [1 / 3, 1 / 3])


def test_loss_by_hand():
    targets = task().targets(corpus_of(), "cpu")
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0], [0.0, 0.0], [50.0, 50.0]])
    # all are log 2 but one: "happy" at 3/4 where it does not hold; clip d is not known
    expected = (5 * math.log(2) + math.log(4)) / 6
    loss = task().loss(NetworkOutput(None, logits, torch.zeros(4), torch.zeros(())), targets)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_scores_count_words_outside_the_vocabulary():
    guess = prediction([[0.9, 0.1], [0.8, 0.7], [0.03, 0.02], [0.9, 0.9]])
    truth = Truth.of(task().targets(corpus_of(), "cpu"))
    scores = task(threshold=0.5).scores(guess, truth, ["a", "b", "c", "d"])
    # a: 1/1 and 1/2 ("glad" cannot be said); b: 1/2 and 1/1; c: nothing is true nor said; d is not scored
    assert scores["set_accuracy"] == pytest.approx(1.5 / 3)
    assert scores["set_recall"] == pytest.approx(1.5 / 3)
    assert scores["set_score"] == pytest.approx(0.5)
    # on the wheel a is right; b says both basic emotions: precision 3/4, recall 1, at both levels
    assert scores["wheel_f1"] == scores["score"] == pytest.approx(2 * 0.75 / 1.75)


def test_scores_with_synonym_groups():
    guess = prediction([[0.9, 0.1], [0.8, 0.1], [0.01, 0.01]])
    truth = Truth.of(task().targets(corpus_of(), "cpu"))
    groups = {"a": [["happy", "glad"]], "b": [["sad"], ["happy"]]}
    scores = task(threshold=0.5, groups=groups).scores(guess, truth, ["a", "b", "c"])
    assert (scores["set_accuracy"], scores["set_recall"]) == (0.5, 0.5)


def test_words_that_are_on_no_wheel_are_scored_as_sets():
    off = VocabularyTask(("grumpy", "sad"), {"a": ["grumpy"]}, load_wheels(), threshold=0.5)
    assert off.score_name == "emotion-wheel F"  # one word is on it
    off = VocabularyTask(("grumpy", "zesty"), {"a": ["grumpy"]}, load_wheels(), threshold=0.5)
    assert off.score_name == "set score"
    truth = Truth(np.zeros(1), np.zeros(1), np.array([[1.0, 0.0]]))
    scores = off.scores(prediction([[0.9, 0.8]]), truth, ["a"])
    assert scores == {"set_accuracy": 0.5, "set_recall": 1.0, "set_score": 0.75, "score": 0.75}
    assert off.merit(prediction([[0.9, 0.8]]), truth) == 1.0


def test_nothing_known_has_no_scores():
    truth = Truth.of(task().targets(corpus_of(), "cpu"))
    assert task(threshold=0.5).scores(prediction([[0.5, 0.5]]), truth.take(np.array([3])), ["d"]) == {}


def test_threshold_with_the_best_balance():
    """With .34 to .85 both clips are right; below, one says a word too many; above, the other a word too few."""
    words = {"a": ["happy", "sad"], "b": ["sad"]}
    one = VocabularyTask(("happy", "sad"), words, WHEELS)
    guess = prediction([[0.6, 0.7], [0.3, 0.9]])
    truth = Truth(np.zeros(2), np.zeros(2), np.array([[1.0, 1.0], [0.0, 1.0]]))
    settled = one.settle(guess, truth, ["a", "b"], np.array([0, 1]))
    assert settled.facts == {"threshold": 0.34}
    assert settled.columns(guess, ["c", "d"]) == {"openset": ["['sad', 'happy']", "['sad']"]}
    assert one.threshold is None


def test_a_fold_has_no_say_in_its_own_threshold():
    """Rightly said, "a" needs .8 or less, "b" more than .5, "c" more than .9; of equals, the lowest is taken."""
    words = {"a": ["happy", "sad"], "b": ["sad"], "c": ["happy"]}
    one = VocabularyTask(("happy", "sad"), words, WHEELS)
    guess = prediction([[0.8, 1.0], [0.5, 1.0], [1.0, 0.9]])
    truth = Truth(np.zeros(3), np.zeros(3), np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]))
    settled = one.settle(guess, truth, ["a", "b", "c"], np.array([0, 1, 2]))
    assert settled.by_clip == {"a": 0.91, "b": 0.01, "c": 0.51}
    assert settled.facts == {"threshold": 0.51}
    assert settled.said(guess, ["a", "b", "c"]) == [["sad"], ["sad", "happy"], ["happy", "sad"]]
    new = [["sad", "happy"], ["sad"], ["happy", "sad"]]
    assert settled.said(guess, ["x", "y", "z"]) == new
    assert settled.scores(guess, truth, ["a", "b", "c"])["set_recall"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_a_single_fold_keeps_an_even_threshold():
    one = VocabularyTask(("happy", "sad"), {"a": ["sad"]}, WHEELS)
    truth = Truth(np.zeros(1), np.zeros(1), np.array([[0.0, 1.0]]))
    settled = one.settle(prediction([[0.8, 1.0]]), truth, ["a"], np.zeros(1, int))
    assert (settled.threshold, settled.by_clip) == (0.81, {"a": 0.5})


def test_saying_everything_is_not_the_best():
    """Four words, one true each: all four would score (1/4 + 1) / 2, more than being right half of the time."""
    labels = ("happy", "sad", "glad", "low")
    words = {"a": ["happy"], "b": ["sad"]}
    truth = Truth(np.zeros(2), np.zeros(2), np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]]))
    guess = prediction([[0.9, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]])
    assert VocabularyTask(labels, words, WHEELS).settle(guess, truth, ["a", "b"], np.arange(2)).threshold == 0.56


def test_merit_is_the_balance_on_the_wheel():
    truth = Truth(np.zeros(2), np.zeros(2), np.array([[1.0, 0.0], [np.nan, np.nan]]))
    assert task().merit(prediction([[0.9, 0.1], [0.1, 0.9]]), truth) == 1.0
    # only "sad" can be said alone: at best both words, precision 1/2 and recall 1
    assert task().merit(prediction([[0.5, 0.9], [0.1, 0.9]]), truth) == pytest.approx(2 / 3)
    assert task().merit(prediction([[0.9, 0.1]]), truth.take(np.array([1]))) == 0.0


def test_classes_beside_the_words():
    one = task(emotions=2, emotion_weight=0.5)
    assert one.outputs == 4
    targets = one.targets(corpus_of(emotion=["happy", "sad", np.nan, np.nan]), "cpu")
    logits = torch.zeros(4, 4)
    loss = one.loss(NetworkOutput(None, logits, torch.zeros(4), torch.zeros(())), targets)
    assert loss.item() == pytest.approx(1.5 * math.log(2), abs=1e-6)
    assert one.probabilities(logits).shape == (4, 2)


def test_words_start_at_their_share():
    one = task(emotions=2)
    network = build_network("mlp", {"x": 3}, one.outputs)
    before = network.emotion_head.bias[2:].clone()
    one.prepare(network, one.targets(corpus_of(), "cpu"))
    torch.testing.assert_close(network.emotion_head.bias[:2].sigmoid(), torch.full((2,), 1 / 3))
    assert torch.equal(network.emotion_head.bias[2:], before)

"""Choices that differ by fold: which network predicts which clip, and what the merits are."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from baseline import fold_choice
from baseline.basis import HELD_OUT, open_labelled
from baseline.fold_choice import is_nested, train_choices


@pytest.mark.usefixtures("without_tests")
def test_each_fold_is_predicted_by_its_own_choice(quick):
    study = open_labelled(quick(features=["voice", "face"], seeds=2))
    assert is_nested(study)
    asked = []

    def train(names):
        asked.append(names)
        return study.cross_validate(names)

    choices = [("voice",), ("face",), ("voice",)]
    chosen = train_choices(study, choices, train)
    assert asked == [("voice",), ("face",)], "each is trained once"
    voice, face = (study.cross_validate(names) for names in asked)
    expected = [
        [one.results[0].merit, other.results[1].merit, one.results[2].merit]
        for one, other in zip(voice.seeds, face.seeds, strict=True)
    ]
    assert chosen.merits == expected

    guess, valence = np.empty(36, int), np.empty(36)
    for fold, result in enumerate((voice, face, voice)):
        rows = study.folds == fold
        guess[rows] = result.held_out.probabilities[rows].argmax(1)
        valence[rows] = result.held_out.valence[rows]
    truth = study.train.table["emotion"].map(list(study.task.labels).index)
    error = ((valence - study.train.table["valence"]) ** 2).mean()
    score = f1_score(truth, guess, average="weighted") - 0.25 * error
    assert chosen.scores[HELD_OUT].value == pytest.approx(score, abs=1e-6)


@pytest.mark.usefixtures("without_tests")
def test_words_of_a_fold_are_settled_by_the_others(quick):
    study = open_labelled(quick(track="ov", options={"min_count": 3}))
    result = study.cross_validate()
    nested = fold_choice._nested_score(study, [result] * 3)
    assert nested.value == pytest.approx(result.scores["score"], abs=1e-7)


def test_one_choice_is_scored_on_test_clips(quick):
    study = open_labelled(quick(features=["voice"]))
    assert not is_nested(study)
    chosen = train_choices(study, ["voice"] * 3, lambda _: study.cross_validate())
    result = study.cross_validate()
    assert chosen.merits == [[fold.merit for fold in result.results]]
    expected = study.test_scores(result)["test_multi"]["scores"]["score"]
    assert list(chosen.scores) == ["test_multi"]
    assert chosen.scores["test_multi"].value == pytest.approx(expected, abs=1e-7)


def test_inner_folds_with_test_clips_are_not_nested(quick):
    assert not is_nested(open_labelled(quick(features=["voice"], select="inner")))

import math

import numpy as np
import pytest
import torch

from baseline.dataset import Targets
from baseline.task import EmotionTask, Prediction, Truth, masked_mean
from toolkit.models.network import NetworkOutput

NAN = float("nan")


def prediction(probabilities, valence):
    return Prediction(np.array(probabilities, np.float32), np.array(valence, np.float32), np.ones(len(valence), bool))


def truth(emotion, valence):
    return Truth(np.array(emotion), np.array(valence, np.float32), np.zeros((len(emotion), 0)))


def test_masked_mean():
    assert masked_mean(torch.tensor([1.0, NAN, 3.0]), torch.tensor([True, False, True])) == 2
    assert masked_mean(torch.tensor([NAN]), torch.tensor([False])) == 0


def test_loss_by_hand():
    output = NetworkOutput(
        None, torch.tensor([[0.0, 0.0], [0.0, math.log(3)], [9.0, 0.0]]), torch.tensor([1.0, 2.0, 3.0]), None
    )
    targets = Targets(torch.tensor([0, 1, -1]), torch.tensor([NAN, 0.0, 1.0]), torch.zeros(3, 0))
    # cross-entropy: log 2 and log 4/3, their mean; squared errors: 4 and 4
    expected = (math.log(2) + math.log(4 / 3)) / 2 + 0.5 * 4
    assert EmotionTask(("a", "b"), valence_weight=0.5).loss(output, targets).item() == pytest.approx(expected, abs=1e-6)


def test_unknown_labels_send_no_gradient():
    logits = torch.zeros(1, 2, requires_grad=True)
    valence = torch.zeros(1, requires_grad=True)
    targets = Targets(torch.tensor([-1]), torch.tensor([NAN]), torch.zeros(1, 0))
    EmotionTask(("a", "b")).loss(NetworkOutput(None, logits, valence, None), targets).backward()
    assert not logits.grad.any()
    assert not valence.grad.any()


def test_scores_by_hand():
    guess = prediction([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], [0.0, 1.0, 0.0, 5.0])
    scores = EmotionTask(("a", "b"), combined=True).scores(guess, truth([0, 1, 1, -1], [0.0, 3.0, NAN, 5.0]))
    # F1 of a and b is 2/3 each; squared errors 0, 4 and 0
    assert scores == pytest.approx({"weighted_f1": 2 / 3, "accuracy": 2 / 3, "mse": 4 / 3, "score": 2 / 3 - 1 / 3})


def test_score_without_valence_is_the_weighted_f1():
    guess = prediction([[0.9, 0.1], [0.2, 0.8]], [NAN, NAN])
    scores = EmotionTask(("a", "b"), combined=True).scores(guess, truth([0, 1], [1.0, 1.0]))
    assert scores == {"weighted_f1": 1.0, "accuracy": 1.0, "score": 1.0}


def test_nothing_known_has_no_scores():
    assert EmotionTask(("a", "b")).scores(prediction([[1, 0]], [0.0]), truth([-1], [NAN])) == {}


def test_prior_is_the_share_of_each_class():
    targets = Targets(torch.tensor([0, 1, 1, -1, 1]), torch.full((5,), NAN), torch.zeros(5, 0))
    assert EmotionTask(("a", "b", "c")).prior(targets).tolist() == [0.25, 0.75, 0]


def test_known():
    targets = Targets(torch.tensor([0, -1, -1]), torch.tensor([NAN, 1.0, NAN]), torch.zeros(3, 0))
    assert EmotionTask(("a", "b")).known(targets).tolist() == [True, True, False]
    nothing = targets._replace(emotion=torch.full((3,), -1))
    assert EmotionTask(("a", "b")).known(nothing).tolist() == [False] * 3

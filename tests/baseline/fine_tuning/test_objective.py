"""Losses against numbers worked out by hand and the scores they stand for."""

import numpy as np
import pytest
import torch

from baseline.fine_tuning.objective import LOSSES, soft_cross_entropy
from toolkit.metrics.regression import concordance, pearson


def test_soft_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, np.log(3)], [0.0, 0.0]])
    targets = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    first = -(0.25 * np.log(1 / 4) + 0.75 * np.log(3 / 4))
    assert soft_cross_entropy(logits, targets).item() == pytest.approx((first + np.log(2)) / 2)


@pytest.mark.parametrize(("loss", "score"), [("ccc", concordance), ("pcc", pearson)])
def test_correlations_are_one_less_the_score(loss, score):
    generator = np.random.default_rng(0)
    truth, said = generator.normal(size=(2, 12, 3))
    expected = 1 - np.mean([score(truth[:, n], said[:, n]) for n in range(3)])
    assert LOSSES[loss](torch.tensor(said), torch.tensor(truth)).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_of_one_has_a_gradient_that_is_finite(loss):
    said = torch.tensor([[1.5]], requires_grad=True)
    LOSSES[loss](said, torch.tensor([[1.0]])).backward()
    assert said.grad.isfinite().all()


def test_distances_by_hand():
    said, truth = torch.tensor([[1.0], [4.0]]), torch.tensor([[1.5], [2.0]])
    assert LOSSES["mse"](said, truth).item() == (0.25 + 4) / 2
    assert LOSSES["l1"](said, truth).item() == (0.5 + 2) / 2
    assert LOSSES["smooth_l1"](said, truth).item() == (0.125 + 1.5) / 2

"""First weights by their laws."""

import pytest
import torch
from torch import nn

from toolkit.models.transformer.initial import learned_token, truncated_normal, xavier


@pytest.fixture
def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(100, 300), nn.Linear(300, 100, bias=False), nn.Conv1d(2, 2, 2))


def test_pretraining(layers):
    convolution = layers[2].weight.clone()
    xavier(layers)
    limit = (6 / 400) ** 0.5
    for weight in (layers[0].weight, layers[1].weight):
        assert weight.abs().max() <= limit
        assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert not layers[0].bias.any()
    assert torch.equal(layers[2].weight, convolution)


def test_fine_tuning(layers):
    truncated_normal(layers)
    assert layers[1].weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not layers[0].bias.any()


def test_tokens():
    torch.manual_seed(0)
    token = learned_token(100, 100)
    assert token.requires_grad
    assert token.abs().max() <= 0.02
    # A normal law cut off at one deviation: its own deviation is 0.54 of the whole one's.
    assert token.std().item() == pytest.approx(0.0108, rel=0.02)

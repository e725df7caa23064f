"""The last layer."""

import pytest
import torch

from toolkit.models.transformer.head import Head


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "tanh"])
def test_activations(activation):
    head, features = Head(4, 3, activation), torch.randn(2, 4)
    logits = features @ head.weight.T + head.bias
    torch.testing.assert_close(head(features), getattr(torch, activation)(logits))


def test_shrinking():
    head, features = Head(4, 3), torch.randn(2, 4)
    before = head(features)
    head.shrink()
    torch.testing.assert_close(head(features), before / 1000)

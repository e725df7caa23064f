import inspect

import torch

from toolkit.models.attention import Attention
from toolkit.models.attention_topn import AttentionTopN


def test_it_is_attention():
    inputs = {f"encoder.{number}/layer": 2 + number for number in range(7)}
    torch.manual_seed(0)
    ours = AttentionTopN(inputs, 6, hidden=8)
    torch.manual_seed(0)
    attention = Attention(inputs, 6, hidden=8)
    values = {key: torch.randn(3, dim) for key, dim in inputs.items()}
    for one, other in zip(ours.eval()(values), attention.eval()(values), strict=True):
        assert torch.equal(one, other)


def test_vectors_only():
    assert AttentionTopN.levels == ("utterance",)
    assert "frames" not in inspect.signature(AttentionTopN).parameters

"""Attention against the definition, written out head by head."""

import torch
from torch.nn import functional

from toolkit.models.transformer.attention import Attention, CrossAttention


def randomised(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    for weight in module.parameters():
        torch.nn.init.normal_(weight)
    return module


def by_hand(query, key, value, heads):
    """Weighted values of each head side by side; the scores are divided by the root of a head's width."""
    parts = zip(query.chunk(heads, -1), key.chunk(heads, -1), value.chunk(heads, -1), strict=True)
    return torch.cat([(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1) @ v for q, k, v in parts], dim=-1)


def test_self_attention():
    attention, tokens = randomised(Attention(6, 2)), torch.randn(3, 5, 6)
    query, key, value = functional.linear(tokens, attention.qkv.weight).chunk(3, dim=-1)
    expected = attention.proj(by_hand(query + attention.q_bias, key, value + attention.v_bias, 2))
    torch.testing.assert_close(attention(tokens), expected)


def test_a_context_of_another_width():
    attention, tokens, context = randomised(CrossAttention(6, 3, 4)), torch.randn(2, 5, 6), torch.randn(2, 7, 4)
    query = attention.q(tokens) + attention.q_bias
    key, value = attention.kv(context).chunk(2, dim=-1)
    expected = attention.proj(by_hand(query, key, value + attention.v_bias, 3))
    torch.testing.assert_close(attention(tokens, context), expected)


def test_without_a_context_tokens_read_each_other():
    attention, tokens = randomised(CrossAttention(6, 3)), torch.randn(2, 5, 6)
    torch.testing.assert_close(attention(tokens), attention(tokens, tokens))
    assert not torch.allclose(attention(tokens), attention(tokens, tokens.flip(0)))

"""Blocks against their equations."""

import torch
from torch.nn import functional

from toolkit.models.transformer.block import Block, CrossSelfBlock, FeedForward, layer_norm


def randomised(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for weight in module.parameters():
        torch.nn.init.normal_(weight)
    return module


def test_layers_add_what_they_make_of_the_normalised():
    block, tokens = randomised(Block(6, 2)), torch.randn(2, 5, 6)
    middle = tokens + block.attn(block.norm1(tokens))
    torch.testing.assert_close(block(tokens), middle + block.mlp(block.norm2(middle)))


def test_a_context_is_read_first():
    block, tokens, context = randomised(CrossSelfBlock(6, 2, context_dim=4)), torch.randn(2, 5, 6), torch.randn(2, 7, 4)
    first = tokens + block.cross_attn(block.cross_norm1(tokens), block.cross_norm2(context))
    second = first + block.attn(block.norm1(first))
    torch.testing.assert_close(block(tokens, context), second + block.mlp(block.norm2(second)))


def test_layer_scale():
    block, tokens, context = CrossSelfBlock(6, 2, layer_scale=0.1), torch.randn(2, 5, 6), torch.randn(2, 7, 6)
    scales = [block.gamma_0, block.gamma_1, block.gamma_2]
    assert [scale.tolist() for scale in scales] == [torch.full((6,), 0.1).tolist()] * 3
    plain = CrossSelfBlock(6, 2)
    assert not any(name.startswith("gamma") for name in plain.state_dict())
    plain.load_state_dict({name: v for name, v in block.state_dict().items() if not name.startswith("gamma")})
    with torch.no_grad():
        for scale, value in zip(scales, (1.0, 0.0, 0.0), strict=True):
            scale.fill_(value)
    read = plain.cross_attn(plain.cross_norm1(tokens), plain.cross_norm2(context))
    torch.testing.assert_close(block(tokens, context), tokens + read)  # of three branches the first is left
    with torch.no_grad():
        for scale in scales:
            scale.fill_(1.0)
    torch.testing.assert_close(block(tokens, context), plain(tokens, context))


def test_a_dropped_block_changes_nothing():
    block, tokens = randomised(Block(6, 2, drop_path=0.999999)).train(), torch.randn(2, 5, 6)
    torch.testing.assert_close(block(tokens), tokens)
    assert not torch.allclose(block.eval()(tokens), tokens)


def test_the_feed_forward_layer():
    layer, tokens = randomised(FeedForward(3, 5, 2)), torch.randn(4, 3)
    inner = tokens @ layer.fc1.weight.T + layer.fc1.bias
    gelu = inner * 0.5 * (1 + torch.erf(inner / 2**0.5))
    torch.testing.assert_close(layer(tokens), functional.linear(gelu, layer.fc2.weight, layer.fc2.bias))


def test_small_deviations_are_not_blown_up():
    """The number added to the variance is 1e-6, not torch's 1e-5."""
    values = torch.tensor([[1e-3, -1e-3]])
    torch.testing.assert_close(layer_norm(2)(values), values / 2e-6**0.5)

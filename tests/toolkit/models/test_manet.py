import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from toolkit.models.manet import AttentionBlock, ChannelGate, MANet, MultiScaleBlock, SpatialGate


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("manet")


def test_keys(vectors, entries):
    assert entries(MANet()) == vectors.keys


def test_parity(vectors):
    network = MANet().eval()
    network.load_state_dict(vectors.weights)
    squares = [Image.fromarray(frame).resize((224, 224), Image.Resampling.BILINEAR) for frame in vectors.frames]
    values = (np.stack(squares).transpose(0, 3, 1, 2) / 255).astype(np.float32)
    vectors.assert_input(values)
    with torch.inference_mode():
        features = network(torch.from_numpy(values))
        vectors.assert_output(features.numpy())
        vectors.assert_output(network.fc_1(features[:, :512]).numpy(), "logits_local")
        vectors.assert_output(network.fc_2(features[:, 512:]).numpy(), "logits_global")


def test_channel_gate_by_hand():
    gate = ChannelGate(16)
    first, second = gate.mlp[1], gate.mlp[3]
    nn.init.ones_(first.weight)
    nn.init.zeros_(first.bias)
    second.weight.data[:] = torch.arange(16.0)[:, None] / 16
    nn.init.zeros_(second.bias)
    values = torch.ones(1, 16, 2, 2)
    values[0, 0, 0, 0] = 5.0  # means add up to 2 + 15, maxima to 5 + 15
    expected = torch.sigmoid((17 + 20) * torch.arange(16.0) / 16)
    torch.testing.assert_close(gate(values)[0, :, 1, 1], expected)


def test_spatial_gate_by_hand():
    gate = SpatialGate().eval()
    nn.init.zeros_(gate.spatial.conv.weight)
    gate.spatial.conv.weight.data[0, :, 3, 3] = torch.tensor([1.0, 10.0])  # the maximum, and ten times the mean
    values = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2).clone()
    values[0, :, 0, 0] = torch.tensor([-1.0, 1.0])
    weights = torch.sigmoid(torch.tensor([[1.0, 23.0], [23.0, 23.0]]))
    torch.testing.assert_close(gate(values)[0, 1], values[0, 1] * weights, rtol=1e-4, atol=0)


def test_attention_comes_before_the_shortcut():
    block = AttentionBlock(16, 16).eval()
    values = torch.rand(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    inner = block.bn2(block.conv2(block.bn1(block.conv1(values)).relu()))
    torch.testing.assert_close(block(values), (block.cbam(inner) + values).relu())


def test_chains_by_hand():
    """Every convolution doubles, so the groups of a chain see 2 a, 2 (b + 2 a), ...; negative ones pass on nothing."""
    block = MultiScaleBlock(4, 4).eval()
    for name, layer in block.named_modules():
        if name.startswith(("conv1_2", "conv2_2")):
            nn.init.zeros_(layer.weight)
            layer.weight.data[0, 0, 1, 1] = 2.0 if name.startswith("conv1") else 1.0
    given = torch.tensor([1.0, -3.0, 1.0, 2.0]).view(1, 4, 1, 1)
    first = torch.tensor([2.0, -2.0, 2.0, 8.0])
    second = torch.tensor([1.0, -2.0, 1.0, 3.0])
    torch.testing.assert_close(block.residual(given).flatten(), first + second, rtol=1e-4, atol=0)

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from toolkit.models.emonet import EmoNet, Hourglass, PyramidBlock


@pytest.fixture(scope="module")
def vectors(face_network):
    return face_network("emonet")


def test_keys(vectors, entries):
    assert entries(EmoNet()) == vectors.keys


def test_parity(vectors):
    network = EmoNet().eval()
    network.load_state_dict(vectors.weights)
    squares = [cv2.resize(frame, (256, 256), interpolation=cv2.INTER_LINEAR) for frame in vectors.frames]
    values = (np.stack(squares).transpose(0, 3, 1, 2) / 255).astype(np.float32)
    vectors.assert_input(values)
    with torch.inference_mode():
        features = network(torch.from_numpy(values))
        vectors.assert_output(features.numpy())
        heads = network.emo_fc_2(features).numpy()
    for name, columns in (("expression", slice(0, 8)), ("valence", slice(8, 9)), ("arousal", slice(9, 10))):
        vectors.assert_output(heads[:, columns], name)


def test_block_puts_its_convolutions_side_by_side():
    block = PyramidBlock(8, 8).eval()
    values = torch.randn(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    first = functional.conv2d(values.relu() / (1 + 1e-5) ** 0.5, block.conv1.weight, padding=1)
    torch.testing.assert_close(block(values)[:, :4], first + values[:, :4])
    assert block.conv3.weight.shape == (2, 2, 3, 3)


def test_hourglass_of_one_level_by_hand():
    """With convolutions that give nothing, what is left is the picture plus its own maxima, four pixels at a time."""
    hourglass = Hourglass(4, depth=1).eval()
    for layer in hourglass.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    values = torch.arange(16.0).view(1, 1, 4, 4).expand(1, 4, 4, 4)
    maxima = torch.tensor([[5.0, 7.0], [13.0, 15.0]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    torch.testing.assert_close(hourglass(values)[0, 2], values[0, 2] + maxima)


def test_depth_and_width():
    network = EmoNet(width=16, depth=1, expressions=5).eval()
    assert network(torch.rand(3, 3, 32, 32)).shape == (3, 16)
    assert network.emo_fc_2[3].out_features == 7  # with valence and arousal

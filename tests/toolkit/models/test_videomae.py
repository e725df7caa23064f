"""VideoMAE against the network of the MER2024 script: names, numbers, gradients."""

import json

import pytest
import torch

from references.video_face import differences
from toolkit.models.videomae import VideoMae, sinusoids


@pytest.mark.parametrize("case", ["a_normmean", "b_fcnorm"])
def test_positions_outputs_and_gradients(parity, case):
    found = differences(parity / f"cnn_sunvideomae_{case}.safetensors")
    assert [one for one in found if one.share > 1] == []
    assert len(found) == 4 + (case == "a_normmean")  # gradients are stored for one of the cases


@pytest.mark.parametrize("size", [160, 224])
def test_names_and_shapes_of_the_released_networks(parity, size):
    keys = json.loads((parity / f"cnn_sunvideomae_vit_base_patch16_{size}_keys.json").read_text())
    with torch.device("meta"):
        network = VideoMae(size=size, classes=6)
    assert {name: [list(v.shape), "float32"] for name, v in network.state_dict().items()} == keys
    assert sum(value.numel() for value in network.parameters()) == 86231814


def test_without_a_classifier_the_network_gives_its_features():
    network = VideoMae(size=8, frames=4, patch=4, dim=6, depth=1, heads=2)
    video = torch.randn(2, 3, 4, 8, 8)
    torch.testing.assert_close(network(video), network.features(video))
    assert not any(name.startswith("head") for name in network.state_dict())


def test_tokens_come_frame_by_frame():
    """Each token's own patch says where it is: with no blocks, a token depends on its patch and position only."""
    network = VideoMae(size=8, frames=4, patch=4, dim=6, depth=0, heads=2)
    video = torch.zeros(1, 3, 4, 8, 8)
    still = network.tokens(video)
    video[:, :, 2:, 4:, :4] = 1  # second tubelet, lower left
    changed = (network.tokens(video) - still).abs().amax(dim=2)[0] > 0
    assert changed.nonzero().flatten().tolist() == [6]


def test_sinusoids():
    table = sinusoids(3, 4)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1.0, 0.0, 1.0]))
    expected = torch.tensor([0.909297, -0.416147, 0.019999, 0.999800])  # sin 2, cos 2, sin 0.02, cos 0.02
    torch.testing.assert_close(table[2], expected, rtol=0, atol=1e-6)

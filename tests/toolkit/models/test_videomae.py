"""VideoMAE against the network of the MER2024 script: names, numbers, gradients."""

import json

import pytest
import torch
from safetensors.torch import load_file

from toolkit.models.videomae import VideoMae, sinusoids

CASES = ("a_normmean", "b_fcnorm")


@pytest.fixture(params=CASES)
def vectors(request, parity) -> dict[str, torch.Tensor]:
    return load_file(parity / f"cnn_sunvideomae_{request.param}.safetensors")


@pytest.fixture
def network(request, parity, vectors) -> VideoMae:
    case = request.node.callspec.params["vectors"]
    sizes = json.loads((parity / f"cnn_sunvideomae_{case}.json").read_text())["constructor_args"]
    network = VideoMae(
        size=sizes["img_size"],
        frames=sizes["all_frames"],
        channels=sizes["in_chans"],
        patch=sizes["patch_size"],
        tubelet=sizes["tubelet_size"],
        dim=sizes["embed_dim"],
        depth=sizes["depth"],
        heads=sizes["num_heads"],
        expansion=sizes["mlp_ratio"],
        classes=sizes["num_classes"],
        norm_after_mean=sizes["use_mean_pooling"],
    )
    network.load_state_dict(part(vectors, "weights/"))
    return network


def part(vectors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in vectors.items() if name.startswith(prefix)}


def test_features_and_logits(network, vectors):
    video = vectors["inputs/video"]
    with torch.inference_mode():
        torch.testing.assert_close(network.features(video), vectors["outputs/feature"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(network(video), vectors["outputs/logits"], rtol=1e-5, atol=1e-6)


def test_positions(network, vectors):
    torch.testing.assert_close(network.positions, vectors["inputs/pos_embed_check"][0], rtol=0, atol=0)


def test_gradients(network, vectors):
    loss = network(vectors["inputs/video"]).square().mean()
    torch.testing.assert_close(loss, vectors["outputs/loss"])
    expected = part(vectors, "grads/")
    if expected:  # stored for one of the cases
        loss.backward()
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
        assert gradients.keys() == expected.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-7)


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

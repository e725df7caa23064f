"""VideoMAE against its references: that of MER2024, and the baseline of MAE-DFER's authors."""

import json

import pytest
import torch

from references import masked_video
from references.autoencoders import products, published_differences
from references.vectors import Vectors
from references.video_face import differences
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.videomae import VideoMae, VideoMaeFineTuning, VideoMaePretraining, VideoMaeSize

SMALL = VideoMaeSize(ClipShape(8, 4, 4), dim=6, depth=1, heads=2)


@pytest.mark.parametrize("case", ["a_normmean", "b_fcnorm"])
def test_positions_outputs_and_gradients(parity, case):
    found = differences(parity / f"cnn_sunvideomae_{case}.safetensors")
    assert [one for one in found if one.share > 1] == []
    assert len(found) == 4 + (case == "a_normmean")  # gradients are stored for one of the cases


@pytest.mark.parametrize("stage", ["pretrain", "finetune"])
def test_beside_the_baseline_of_mae_dfer(parity, stage):
    found = masked_video.differences(parity / f"maedfer_e_videomae_{stage}.safetensors")
    assert [one for one in found if one.share > 1] == []
    assert any("norms of gradients" in one.output for one in found)


@pytest.mark.parametrize("size", [160, 224])
def test_names_and_shapes_of_the_networks_of_mer2024(parity, size):
    keys = json.loads((parity / f"cnn_sunvideomae_vit_base_patch16_{size}_keys.json").read_text())
    with torch.device("meta"):
        network = VideoMaeFineTuning(VideoMaeSize(ClipShape(size)), 6, norm_tokens=True)
    assert {name: [list(v.shape), "float32"] for name, v in network.state_dict().items()} == keys
    assert sum(value.numel() for value in network.parameters()) == 86231814


@pytest.mark.parametrize("form", ["finetune", "pretrain"])
def test_published_names_sizes_and_layers(parity, form):
    facts = json.loads((parity / f"videomae_base_{form}_keys.json").read_text())
    with torch.device("meta"):
        base = VideoMae.sizes["base"]
        network = VideoMaeFineTuning(base, 7) if form == "finetune" else VideoMaePretraining(base)
    assert published_differences(network, facts) == []


def test_products_of_the_published_size(parity):
    facts = json.loads((parity / "videomae_base_finetune_keys.json").read_text())
    with torch.device("meta"):
        network = VideoMaeFineTuning(VideoMae.sizes["base"], 7)
    assert products(network, {"video": (1, 3, 16, 160, 160)}) == facts["flops_torch"]


def test_pretrained_weights_by_their_names_in_fine_tuning(parity):
    first, second = (Vectors.read(parity / f"maedfer_e_videomae_{form}.json") for form in ("pretrain", "finetune"))
    given, wanted = VideoMae.for_fine_tuning(first.group("weights")), second.group("weights")
    assert wanted.keys() - given.keys() == {"fc_norm.weight", "fc_norm.bias", "head.weight", "head.bias"}
    assert all(torch.equal(given[name], wanted[name]) for name in wanted.keys() & given.keys())


def test_without_outputs_there_are_features_alone():
    network, inputs = VideoMaeFineTuning(SMALL), {"video": torch.randn(2, 3, 4, 8, 8)}
    features, logits = network(inputs)
    torch.testing.assert_close(features, network.fc_norm(network.tokens(inputs["video"]).mean(dim=1)))
    assert logits.shape == (2, 0)
    assert not any(name.startswith("head") for name in network.state_dict())


def test_tokens_come_frame_by_frame():
    """Each token's own patch says where it is: with no blocks, a token depends on its patch and position only."""
    network = VideoMaeFineTuning(SMALL._replace(depth=0))
    video = torch.zeros(1, 3, 4, 8, 8)
    still, steps = network.tokens(video), network.steps(video)
    video[:, :, 2:, 4:, :4] = 1  # second tubelet, lower left
    changed = (network.tokens(video) - still).abs().amax(dim=2)[0] > 0
    assert changed.nonzero().flatten().tolist() == [6]
    assert ((network.steps(video) - steps).abs().amax(dim=2)[0] > 0).tolist() == [False, True]


def test_features_over_time():
    network, inputs = VideoMaeFineTuning(SMALL), {"video": torch.randn(2, 3, 4, 8, 8)}
    tokens = network.tokens(inputs["video"])
    expected = network.fc_norm(torch.stack([tokens[:, :4].mean(1), tokens[:, 4:].mean(1)], dim=1))
    torch.testing.assert_close(network.over_time(inputs), expected)


def test_outputs_for_every_picture():
    """Two steps of time, four pictures: those in the middle are a quarter and three quarters of the way."""
    torch.manual_seed(0)
    network, inputs = VideoMaeFineTuning(SMALL, 3, per_picture=True), {"video": torch.randn(2, 3, 4, 8, 8)}
    first, second = network.steps(inputs["video"]).unbind(dim=1)
    expected = network.fc_norm(
        torch.stack([first, 0.75 * first + 0.25 * second, 0.25 * first + 0.75 * second, second], 1)
    )
    features, logits = network(inputs)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(logits, torch.cat([network.head(expected[:, i]) for i in range(4)], dim=1))

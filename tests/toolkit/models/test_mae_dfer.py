"""MAE-DFER against the reference: outputs, names and sizes; and where ours is right on purpose."""

import json

import numpy as np
import pytest
import torch

from references.autoencoders import products, published_differences
from references.masked_video import differences, pretraining, size
from references.vectors import Vectors
from toolkit.models.local_global import Stages
from toolkit.models.mae_dfer import MaeDfer, MaeDferFineTuning, MaeDferPretraining, MaeDferSize
from toolkit.models.transformer.masks import Split, Tube, Windows

TINY = MaeDfer.sizes["tiny-test"]
FILES = [f"{case}_{stage}" for case in "acd" for stage in ("pretrain", "finetune")] + ["f_temporal_finetune"]


@pytest.mark.parametrize("name", FILES)
def test_beside_the_reference(parity, name):
    found = differences(parity / f"maedfer_{name}.safetensors")
    assert [one for one in found if one.share > 1] == []
    assert any("norms of gradients" in one.output for one in found) == ("c_" not in name)  # theirs has none there


@pytest.mark.parametrize("form", ["finetune", "pretrain"])
def test_published_names_sizes_and_layers(parity, form):
    facts = json.loads((parity / f"maedfer_base_{form}_keys.json").read_text())
    with torch.device("meta"):
        base = MaeDfer.sizes["base"]
        network = MaeDferFineTuning(base, 7) if form == "finetune" else MaeDferPretraining(base)
    assert published_differences(network, facts) == []


def test_products_of_the_published_size(parity):
    facts = json.loads((parity / "maedfer_base_finetune_keys.json").read_text())
    with torch.device("meta"):
        network = MaeDferFineTuning(MaeDfer.sizes["base"], 7)
    assert products(network, {"video": (1, 3, 16, 160, 160)}) == facts["flops_torch"]


def test_the_standard_mask():
    assert MaeDferPretraining(TINY).mask == Windows(0.9, rows=2)
    with torch.device("meta"):
        assert MaeDferPretraining(MaeDferSize()).mask == Windows(0.9, rows=5)


@pytest.mark.parametrize("case", "acd")
def test_pretrained_weights_by_their_names_in_fine_tuning(parity, case):
    first, second = (Vectors.read(parity / f"maedfer_{case}_{form}.json") for form in ("pretrain", "finetune"))
    given, wanted = MaeDfer.for_fine_tuning(first.group("weights")), second.group("weights")
    assert wanted.keys() - given.keys() == {"fc_norm.weight", "fc_norm.bias", "head.weight", "head.bias"}
    assert all(torch.equal(given[name], wanted[name]) for name in wanted.keys() & given.keys())


@pytest.mark.parametrize("case", "acd")
def test_sizes_are_known_from_tensors(parity, case):
    vectors = Vectors.read(parity / f"maedfer_{case}_pretrain.json")
    ours, true = MaeDfer.size_of(vectors.group("weights")), size(vectors.facts["config"])
    assert (ours.dim, ours.depth, ours.stages) == (true.dim, true.depth, true.stages)
    assert (ours.shape.patch, ours.decoder.dim, ours.decoder.depth) == (
        true.shape.patch,
        true.decoder.dim,
        true.decoder.depth,
    )


def test_each_visible_token_has_its_own_position_in_the_decoder(parity):
    """The reference hands the decoder tokens region by region with positions in the order of time; ours does not."""
    vectors = Vectors.read(parity / "maedfer_a_pretrain.json")
    network = pretraining(vectors.facts)
    network.load_state_dict(vectors.group("weights"))
    video, mask = vectors.tensors["inputs/video"], vectors.tensors["inputs/mask"]
    split = Split.of(mask, video.device)
    released = network.encoder(video, split)
    torch.testing.assert_close(released, vectors.tensors["outputs/encoder_out"], rtol=1e-4, atol=1e-4)
    network.encoder.order = "time"
    ours = network.encoder(video, split)
    # By hand: which token of the clip is where in the region order.
    places = split.visible[0].reshape(4, 2, 2, 2).transpose(1, 2).flatten()
    assert places.tolist() != split.visible[0].tolist()
    for token, place in enumerate(places.tolist()):
        mine = (split.visible[0] == place).nonzero().item()
        torch.testing.assert_close(ours[0, mine], released[0, token])


def test_steps_are_true_steps_of_time():
    """With no blocks a step depends on its own two pictures alone; in the order of the release it does not."""
    video = torch.zeros(1, 3, 16, 64, 64)
    changed = video.clone()
    changed[:, :, 4:6] = 1
    seen = {}
    for order in ("time", "release"):
        torch.manual_seed(0)
        network = MaeDferFineTuning(TINY._replace(depth=0), order=order)
        moved = (network.steps(changed) - network.steps(video)).abs().amax(dim=2)[0] > 1e-6
        seen[order] = moved.nonzero().flatten().tolist()
    assert seen == {"time": [2], "release": [2, 3]}


def test_means_of_all_kinds_of_tokens():
    torch.manual_seed(0)
    video = torch.randn(2, 3, 16, 64, 64)
    network = MaeDferFineTuning(TINY).eval()
    tokens = network.tokens(video)
    assert tokens.shape == (2, 8, 17, 64)
    expected = {"representatives": tokens[:, :, 0].mean(1), "local": tokens[:, :, 1:].mean((1, 2))}
    expected["all"] = (expected["representatives"] + 16 * expected["local"]) / 17
    for kind, mean in expected.items():
        network.mean_of = kind
        torch.testing.assert_close(network.pooled(video), mean, rtol=1e-4, atol=1e-5)


def test_only_local_tokens_have_a_time():
    with pytest.raises(ValueError, match="'local' tokens, not of 'representatives'"):
        MaeDferFineTuning(TINY, 2, per_picture=True)


def test_a_mask_that_regions_cannot_share():
    network = MaeDferPretraining(TINY, mask=Tube(0.7))  # 5 of 16 sites seen, in two regions
    masks = network.draw_masks(1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="40 visible tokens cannot be dealt out evenly"):
        network({"video": torch.zeros(1, 3, 16, 64, 64)}, masks)


def test_a_shared_layer_stands_once_among_the_parameters():
    network = MaeDferFineTuning(TINY._replace(stages=Stages(shared="all")), 7)
    assert not any("third_attn." in name for name, _ in network.named_parameters())
    assert any("third_attn." in name for name in network.state_dict())

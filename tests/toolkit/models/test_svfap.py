"""SVFAP beside its authors' code, and as published."""

import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from references.svfap import differences
from toolkit.errors import UserError
from toolkit.models.masked_autoencoder import autoencoders
from toolkit.models.svfap import Svfap, SvfapEncoder, SvfapFineTuning, SvfapPretraining
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.masks import Tube

BASE, SMALL, TINY = Svfap.sizes["base"], Svfap.sizes["small"], Svfap.sizes["tiny-test"]
REGISTERED = BASE._replace(dim=768, heads=12)  # what the released code pretrains, at odds with all that is published
PUBLISHED = {
    "svfap_base_finetune": (BASE, SvfapFineTuning, (7,)),
    "svfap_small_finetune": (SMALL, SvfapFineTuning, (7,)),
    "svfap_base_pretrain": (BASE, SvfapPretraining, ()),
    "svfap_base_pretrain_as_registered": (REGISTERED, SvfapPretraining, ()),
}


@pytest.fixture(params=PUBLISHED)
def published(request, parity):
    """What is known of a network of published size, its size, and ours without numbers."""
    facts = json.loads((parity / f"{request.param}_keys.json").read_text())
    size, kind, more = PUBLISHED[request.param]
    with torch.device("meta"):
        return facts, size, kind(size, *more)


@pytest.mark.parametrize("name", ["a_pretrain", "c_pretrain", "c_pretrain_papervariant", "a_finetune", "c_finetune"])
def test_vectors(parity, name):
    found = differences(parity / f"svfap_{name}.safetensors")
    assert len(found) > 15
    assert [one for one in found if one.share > 1] == []


def test_keys_and_parameters(published, entries):
    facts, size, network = published
    assert {name: list(shape) for name, (shape, _) in entries(network).items()} == facts["state_dict"]
    assert sum(parameter.numel() for parameter in network.parameters()) == facts["n_params"]
    assert Svfap.size_of(network.state_dict()) == size


def test_layers_and_decay(published):
    facts, _, network = published
    if "layer_decay_groups" not in facts:
        pytest.skip("pretraining has one learning rate")
    theirs = facts["layer_decay_groups"]["params"]
    weights = dict(network.named_parameters())
    assert {name: network.layer_of(name) for name in weights} == {name: one["layer_id"] for name, one in theirs.items()}
    assert {name: network.decays(name, weight) for name, weight in weights.items()} == {
        name: one["weight_decay"] > 0 for name, one in theirs.items()
    }
    assert all(
        one["lr_scale"] == pytest.approx(0.75 ** (network.top_layer - one["layer_id"])) for one in theirs.values()
    )


@pytest.mark.parametrize(
    ("name", "options", "operations"),
    [
        ("finetune", None, 87_077_149_696),
        ("pretrain", {"context": "release", "upsample": "release"}, 27_571_773_440),
        ("pretrain", {}, 2 * (12.92e9 - 720 * 1536 * 512)),  # of which ours leaves out hidden tubelets
    ],
)
def test_operations(name, options, operations):
    """Of one clip, as counted in the authors' code; the last is the published cost, which theirs is not."""
    with torch.device("meta"):
        network = SvfapFineTuning(BASE, 7) if name == "finetune" else SvfapPretraining(BASE, **options)
        inputs = {"video": torch.empty(1, 3, 16, 160, 160)}
    network.to("meta")  # positions as well
    masks = () if name == "finetune" else (network.draw_masks(1, np.random.default_rng(0)),)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(inputs, *masks)
    exact = name == "finetune" or options
    assert counter.get_total_flops() == (operations if exact else pytest.approx(operations, rel=1e-3))


def loss_of(network, seed=0):
    generator = torch.Generator().manual_seed(seed)
    video = torch.randn(2, 3, 16, 64, 64, generator=generator)
    return network({"video": video}, network.draw_masks(2, np.random.default_rng(seed))).loss


@pytest.mark.parametrize("context", ["bottleneck", "release"])
def test_what_learns(context):
    """As published all weights learn; as released not those that make and change bottleneck tokens."""
    network = SvfapPretraining(TINY, context=context, mask=Tube(0.5))
    loss_of(network).backward()
    idle = {name for name, weight in network.named_parameters() if weight.grad is None}
    bottlenecks = ("encoder.spatial_downsamples.", "encoder.blocks.2.")  # block 3 is the reverse one, as is 4
    expected = {name for name, _ in network.named_parameters() if name.startswith(bottlenecks)}
    assert idle == (expected if context == "release" else set())


def test_how_many_released_weights_learn_nothing():
    """29.56 million of the base network, by the count in the authors' code."""
    with torch.device("meta"):
        network = SvfapPretraining(BASE, context="release")
    idle = ("encoder.spatial_downsamples.", *(f"encoder.blocks.{block}." for block in (12, 13, 14, 15, 16, 18, 19)))
    count = sum(weight.numel() for name, weight in network.named_parameters() if name.startswith(idle))
    assert round(count / 1e6, 2) == 29.56


@pytest.mark.parametrize(
    ("upsample", "expected"),
    [
        ("nearest", [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7]),
        ("release", [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7]),
    ],
)
def test_upsampling(upsample, expected):
    """Of two steps with four sites, numbered, to four steps."""
    size = TINY._replace(shape=ClipShape(64, frames=8), depths=(1, 1), bottlenecks=(1,), dim=8)
    encoder = SvfapEncoder(size, "bottleneck", upsample)
    stage = torch.arange(8.0).reshape(1, 2, 4, 1)
    assert encoder._upsampled(stage).flatten().tolist() == expected


@pytest.mark.parametrize("context", ["bottleneck", "release"])
def test_whether_hidden_pixels_leak(context):
    """What is predicted does not depend on hidden pixels, but as released it does."""
    network = SvfapPretraining(TINY, context=context, mask=Tube(0.5)).eval()
    masks = network.draw_masks(1, np.random.default_rng(1))
    video = torch.randn(1, 3, 16, 64, 64)
    hidden = masks["video"].reshape(8, 4, 4).repeat_interleave(2, 0).repeat_interleave(16, 1).repeat_interleave(16, 2)
    other = torch.where(hidden, torch.randn_like(video), video)
    with torch.no_grad():
        first, second = (network({"video": clip}, masks).predictions["video"] for clip in (video, other))
    assert torch.equal(first, second) == (context == "bottleneck")


def test_features_over_time():
    """A clip's features are of the mean over its steps; with one step they are that of the step."""
    network = SvfapFineTuning(TINY, 3).eval()
    inputs = {"video": torch.randn(2, 3, 16, 64, 64)}
    one_step = SvfapFineTuning(TINY._replace(depths=(1, 1, 1, 1), bottlenecks=(2, 2, 2)), 0).eval()
    with torch.no_grad():
        features, logits = network(inputs)
        assert network.over_time(inputs).shape == (2, 2, 64)
        torch.testing.assert_close(network.fc_norm(network.steps(inputs["video"]).mean(dim=1)), features)
        torch.testing.assert_close(network.head(features), logits)
        torch.testing.assert_close(one_step.over_time(inputs)[:, 0], one_step(inputs).features)
        assert one_step(inputs).logits.shape == (2, 0)


def test_what_it_begins_with():
    torch.manual_seed(0)
    network = SvfapFineTuning(TINY, 5)
    assert network.head.weight.abs().max() < 1e-3 * 0.02 * 6
    assert network.blocks[0].mlp.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    pretraining = SvfapPretraining(TINY)
    assert pretraining.encoder.blocks[0].mlp.fc1.weight.max().item() == pytest.approx((6 / (64 + 256)) ** 0.5, rel=0.01)
    assert pretraining.decoder.blocks[0].mlp.fc1.bias.abs().max() == 0


def test_family():
    assert autoencoders.get("svfap") is Svfap
    assert Svfap.size_of(SvfapFineTuning(TINY, 2).state_dict())._replace(shape=TINY.shape, decoder=TINY.decoder) == TINY
    unknown = SvfapFineTuning(TINY._replace(depths=(3, 2, 2), layer_scale=0.3), 2).state_dict()
    size = Svfap.size_of(unknown)
    assert size.depths == ()
    assert size.layer_scale > 0
    with pytest.raises(UserError, match=r"there is no 'temporal_downsamples\.0\.weight' among them"):
        Svfap.size_of({"patch_embed.proj.weight": torch.zeros(64, 3, 2, 16, 16)})

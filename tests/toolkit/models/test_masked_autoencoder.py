"""What holds of every masked autoencoder."""

import numpy as np
import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.masked_autoencoder import FineTuning, autoencoders

NAMES = autoencoders.names()
every = pytest.mark.parametrize("family", [autoencoders.get(name) for name in NAMES], ids=NAMES)


def make(family, batch: int = 2) -> dict[str, torch.Tensor]:
    """Inputs of the tiny size."""
    size = family.sizes["tiny-test"]
    shapes = {"video": (3, size.shape.frames, size.shape.size, size.shape.size)}
    if "audio" in family.streams:
        shapes["audio"] = (1, size.spectrogram.frames, size.spectrogram.bands)
    generator = torch.Generator().manual_seed(0)
    return {stream: torch.randn(batch, *shapes[stream], generator=generator) for stream in family.streams}


def pretraining(family) -> torch.nn.Module:
    torch.manual_seed(0)
    return family.pretraining(family.sizes["tiny-test"])


def fine_tuning(family, outputs: int = 3, **options) -> FineTuning:
    torch.manual_seed(0)
    return family.fine_tuning(family.sizes["tiny-test"], outputs, **options)


def with_heads(size, heads: int):
    """Yields sizes, in each of which one more kind of blocks has so many heads, and whether only pretraining has it."""
    for name, value in size._asdict().items():
        if hasattr(value, "_fields"):
            for other, is_decoder in with_heads(value, heads):
                yield size._replace(**{name: other}), is_decoder or name == "decoder"
        elif name.endswith("heads"):
            yield size._replace(**{name: heads}), False


def test_there_are_all():
    assert NAMES == ["hicmae", "mae-dfer", "svfap", "videomae"]
    with pytest.raises(UserError, match=r"Unknown masked autoencoder 'mae-dfr'\. Did you mean 'mae-dfer'"):
        autoencoders.get("mae-dfr")


@every
def test_pretraining_predicts_what_is_hidden(family):
    network, inputs = pretraining(family), make(family)
    masks = network.draw_masks(2, np.random.default_rng(0))
    assert masks.keys() == set(family.streams)
    ours = network(inputs, masks)
    for stream, mask in masks.items():
        assert mask.dtype == torch.bool
        assert not torch.equal(mask[0], mask[1])
        hidden = int(mask[0].sum())
        assert ours.predictions[stream].shape == ours.targets[stream].shape
        assert ours.predictions[stream].shape[:2] == (2, hidden)
        error = (ours.predictions[stream] - ours.targets[stream]).square().mean()
        torch.testing.assert_close(ours.parts[stream], error)
    ours.loss.backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert without == []


@every
def test_what_is_hidden_does_not_leak(family):
    """Predictions are the same whatever the hidden parts are."""
    network, inputs = pretraining(family), make(family)
    masks = network.draw_masks(2, np.random.default_rng(0))
    pixels = {stream: values.clone().requires_grad_() for stream, values in inputs.items()}
    predictions = network(pixels, masks).predictions
    sum(values.square().sum() for values in predictions.values()).backward()
    seen = pixels["video"].grad.abs() > 0
    shape = family.sizes["tiny-test"].shape
    share = shape.tubelets(seen).flatten(4).any(dim=4).flatten(1)
    assert torch.equal(share, ~masks["video"])


@every
def test_a_clip_is_the_same_in_any_batch(family):
    network, inputs = pretraining(family).eval(), make(family)
    masks = network.draw_masks(2, np.random.default_rng(0))
    both = network(inputs, masks).predictions
    alone = network({k: v[1:] for k, v in inputs.items()}, {k: v[1:] for k, v in masks.items()}).predictions
    for stream in both:
        torch.testing.assert_close(alone[stream], both[stream][1:], rtol=1e-4, atol=1e-4)


@every
def test_the_rebuilt_clip_keeps_what_is_seen(family):
    network, inputs = pretraining(family), make(family)
    masks = network.draw_masks(2, np.random.default_rng(0))
    ours = network(inputs, masks)
    true, rebuilt = (network.rebuilt(inputs, masks, values)["video"] for values in (ours.targets, ours.predictions))
    assert rebuilt.shape == inputs["video"].shape
    changed = family.sizes["tiny-test"].shape.tubelets((true - rebuilt).abs() > 1e-5)
    assert torch.equal(changed.flatten(4).any(dim=4).flatten(1), masks["video"])
    mean, deviation = (torch.tensor(v).view(3, 1, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(true, (inputs["video"] * deviation + mean).clamp(0, 1), rtol=0, atol=1e-5)


@every
def test_fine_tuning(family):
    network, inputs = fine_tuning(family).eval(), make(family)
    features, logits = network(inputs)
    assert logits.shape == (2, 3)
    assert logits.abs().max() < 0.1 * features.abs().max()  # the last layer begins small
    torch.testing.assert_close(network.head(features), logits)
    alone = network({stream: values[1:] for stream, values in inputs.items()})
    torch.testing.assert_close(alone.features, features[1:], rtol=1e-4, atol=1e-4)
    steps = network.over_time(inputs)
    assert steps.dim() == 3
    assert len(steps) == 2


@every
def test_every_parameter_learns(family):
    network = fine_tuning(family)
    network(make(family)).logits.square().sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


@every
def test_stochastic_depth(family):
    network, inputs = fine_tuning(family, drop_path=0.5), make(family)
    assert not torch.allclose(network(inputs).features, network(inputs).features)
    network.eval()
    torch.testing.assert_close(network(inputs), fine_tuning(family)(inputs))


@every
def test_without_outputs(family):
    network, whole = fine_tuning(family, 0), fine_tuning(family)
    network.load_state_dict({name: v for name, v in whole.state_dict().items() if not name.startswith("head")})
    features, logits = network(make(family))
    assert logits.shape == (2, 0)
    torch.testing.assert_close(features, whole(make(family)).features)
    assert not any(name.startswith("head") for name in network.state_dict())


@every
def test_layers(family):
    network = fine_tuning(family)
    layers = {name: network.layer_of(name) for name, _ in network.named_parameters()}
    assert set(layers.values()) == set(range(network.top_layer + 1))
    assert {layers[name] for name in layers if "patch_embed" in name} == {0}
    assert {layers[name] for name in layers if name.startswith(("head", "fc_norm"))} == {network.top_layer}
    decays = {name: network.decays(name, weight) for name, weight in network.named_parameters()}
    assert decays["head.weight"]
    assert not any(decays[name] for name in decays if name.endswith(("bias", "norm.weight", "lg_region_tokens")))


@every
def test_pretrained_weights_fit(family):
    given, network = family.for_fine_tuning(pretraining(family).state_dict()), fine_tuning(family)
    state = network.state_dict()
    new = {name for name in state if name not in given}
    assert {name.split(".")[0] for name in new} <= {"fc_norm", "head", "video_layer_weights", "audio_layer_weights"}
    assert all(given[name].shape == state[name].shape for name in state if name in given)
    assert network.load_state_dict(given, strict=False).missing_keys == [name for name in state if name in new]


@every
@pytest.mark.parametrize("heads", [3, 0])
def test_heads_that_do_not_divide_the_width_are_refused_when_it_is_made(family, heads):
    sizes = list(with_heads(family.sizes["tiny-test"], heads))
    assert len(sizes) == (5 if "audio" in family.streams else 2)
    for size, is_decoder in sizes:
        for build in [family.pretraining, *[family.fine_tuning] * (not is_decoder)]:
            with pytest.raises(ValueError, match=f"64 numbers of a token cannot .* to {heads} attention heads"):
                build(size)


@every
def test_sizes_are_known_from_tensors(family):
    base = family.sizes["base"]
    with torch.device("meta"):
        states = [family.pretraining(base).state_dict(), family.fine_tuning(base, 7).state_dict()]
    for state in states:
        # Each tensor one number of its own, seen in every place: no memory, and none is equal to another.
        real = {name: torch.tensor(float(i)).expand(value.shape) for i, (name, value) in enumerate(state.items())}
        assert family.size_of(real) == base
    with pytest.raises(UserError, match="not of the family"):
        family.size_of({"classifier.weight": torch.zeros(2)})


@every
def test_positions_move_with_the_network_and_are_not_stored(family):
    for network in (pretraining(family), fine_tuning(family)):
        assert not any("positions" in name for name in network.state_dict())
        network.double()
        assert all(buffer.dtype == torch.float64 for buffer in network.buffers())

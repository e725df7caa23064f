"""Every registered network at every level it reads, and batches to try laws on."""

import inspect

import pytest
import torch

from toolkit.models.network import Sequences, build_network, networks

DIMS = {"audio": 4, "text": 3, "visual": 6}
GARBAGE = 1e4  # stands where nobody looks
KINDS = [
    pytest.param(name, level, id=f"{name}-{level}") for name in networks.names() for level in networks.get(name).levels
]


def those(kinds):
    return pytest.mark.parametrize(("name", "level"), kinds)


every = those(KINDS)
every_name = pytest.mark.parametrize("name", networks.names())


def options_of(name):
    """The options of a network with their defaults."""
    parameters = inspect.signature(networks.get(name)).parameters
    return {key: value.default for key, value in parameters.items() if key not in ("inputs", "classes")}


def build(name, level, dims=DIMS, *, seed=0, **options):
    if "frames" in options_of(name):
        options["frames"] = level == "frame"
    torch.manual_seed(seed)
    return build_network(name, dims, 6, **({"hidden": 8} | options))


def make(level, dims=DIMS, batch=5, *, seed=0):
    """Features of a batch, lengths from 1 on, garbage where no frame is."""
    generator = torch.Generator().manual_seed(seed)
    features = {}
    for number, (key, dim) in enumerate(dims.items()):
        if level == "utterance":
            features[key] = torch.randn(batch, dim, generator=generator)
            continue
        steps = 6 if level == "aligned" else 5 + number
        lengths = torch.tensor([steps, 1, 3, steps - 1, 2])[torch.arange(batch) % 5]
        values = torch.randn(batch, steps, dim, generator=generator)
        features[key] = Sequences(values.masked_fill(~Sequences(values, lengths).mask[..., None], GARBAGE), lengths)
    return features


def each(features, change):
    """Features with every tensor changed, values and lengths alike."""
    return {key: Sequences(*map(change, p)) if isinstance(p, Sequences) else change(p) for key, p in features.items()}


def without(features, key, rows):
    """Features with garbage, and with lengths that mean nothing, in some rows of one modality."""

    def spoilt(part):
        part = part.clone()
        part[rows] = GARBAGE
        return part

    part = features[key]
    if not isinstance(part, Sequences):
        return features | {key: spoilt(part)}
    lengths = part.lengths.clone()
    lengths[rows] = part.values.shape[1] - lengths[rows]
    return features | {key: Sequences(spoilt(part.values), lengths)}


def total(output, rows=slice(None)):
    """A loss over some clips and the network's own."""
    return output.emotion_logits[rows].square().sum() + output.valence[rows].square().sum() + output.auxiliary_loss


def gradients(network, output, rows=slice(None)):
    """The gradient of every weight, zero where it was not used."""
    network.zero_grad()
    total(output, rows).backward()
    return {
        key: torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
        for key, weight in network.named_parameters()
    }


def assert_same(output, expected, *, rows=slice(None), tolerance=1e-6):
    """The same outputs, of some clips, and the same auxiliary loss."""
    for ours, theirs in zip(output[:3], expected[:3], strict=True):
        torch.testing.assert_close(ours[rows], theirs, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(output.auxiliary_loss, expected.auxiliary_loss, rtol=tolerance, atol=tolerance)


def assert_same_gradients(ours, theirs, tolerance=1e-5):
    for key, gradient in ours.items():
        torch.testing.assert_close(
            gradient, theirs[key], rtol=tolerance, atol=tolerance, msg=lambda m, k=key: f"{k}: {m}"
        )


def led(parts, models):
    """Features or masks with an axis of models in front, the same for each."""
    return each(parts, lambda part: part.expand(models, *part.shape))

"""Against a slow computation of the equations; the names are those of fairseq."""

import numpy as np
import pytest
import torch

from toolkit.models.wav2vec import Wav2Vec, Wav2VecShape

WIDTH = 6
SHAPE = Wav2VecShape(width=WIDTH)


@pytest.fixture(scope="module")
def network() -> Wav2Vec:
    torch.manual_seed(0)
    network = Wav2Vec(SHAPE).eval().requires_grad_(False)
    for name, parameter in network.named_parameters():
        if parameter.ndim == 1:  # fresh normalisations have weights 1 and biases 0, which would hide mistakes
            torch.nn.init.uniform_(parameter, *((0.5, 1.5) if name.endswith("weight") else (-0.5, 0.5)))
    return network


def convolve(x, weight, stride):
    """``(channels, time)``, without padding."""
    kernel = weight.shape[2]
    starts = range(0, x.shape[1] - kernel + 1, stride)
    return np.stack([np.einsum("oik,ik->o", weight, x[:, s : s + kernel]) for s in starts], axis=1)


def normalise(x, weight, bias):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * weight[:, None] + bias[:, None]


def by_the_equations(network, samples):
    weights = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}
    x = samples.astype(np.float64)[None]
    for number, stride in enumerate((5, 4, 2, 2, 2, 1, 1)):
        layer = f"feature_extractor.conv_layers.{number}"
        x = convolve(x, weights[f"{layer}.0.weight"], stride)
        x = np.maximum(0, normalise(x, weights[f"{layer}.2.weight"], weights[f"{layer}.2.bias"]))
    encoder = x = np.log(np.abs(x) + 1)
    for number, kernel in enumerate(range(2, 14)):
        layer = f"feature_aggregator.conv_layers.{number}"
        padded = np.concatenate([np.repeat(x[:, :1], kernel - 1, axis=1), x], axis=1)
        y = convolve(padded, weights[f"{layer}.1.weight"], 1) + weights[f"{layer}.1.bias"][:, None]
        y = np.maximum(0, normalise(y, weights[f"{layer}.3.weight"], weights[f"{layer}.3.bias"]))
        x = (x + y) * np.sqrt(0.5)
    return encoder.T, x.T


@pytest.mark.parametrize("samples", [465, 624, 625, 5000])
def test_equations(network, samples):
    waves = np.random.default_rng(0).normal(0, 0.1, (2, samples)).astype(np.float32)
    for context in (False, True):
        together = network(torch.from_numpy(waves), context=context)
        for wave, frames in zip(waves, together, strict=True):
            expected = by_the_equations(network, wave)[context]
            assert len(expected) == (samples - 465) // 160 + 1
            np.testing.assert_allclose(frames.numpy(), expected, rtol=0, atol=2e-5)


def test_names_and_sizes_are_those_of_the_released_network():
    with torch.device("meta"):
        state = Wav2Vec().state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert len(shapes) == 7 * 3 + 12 * 4
    assert shapes["feature_extractor.conv_layers.0.0.weight"] == (512, 1, 10)
    assert shapes["feature_extractor.conv_layers.6.0.weight"] == (512, 512, 1)
    assert shapes["feature_extractor.conv_layers.6.2.bias"] == (512,)
    assert shapes["feature_aggregator.conv_layers.0.1.weight"] == (512, 512, 2)
    assert shapes["feature_aggregator.conv_layers.11.1.weight"] == (512, 512, 13)
    assert shapes["feature_aggregator.conv_layers.11.1.bias"] == (512,)
    assert shapes["feature_aggregator.conv_layers.11.3.weight"] == (512,)
    predictor = 512 * 512 * 12 + 512  # left out
    total = sum(tensor.numel() for tensor in state.values()) + predictor
    assert round(total / 1e6, 2) == 32.54  # millions, as tables of the literature have it

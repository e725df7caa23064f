"""Every masked autoencoder on a device that is not the CPU."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from pretend_device import THERE, PretendDevice
from toolkit.models.masked_autoencoder import autoencoders

SHAPES = {"video": (2, 3, 16, 64, 64), "audio": (2, 1, 256, 128)}


@pytest.fixture(params=autoencoders.names())
def family(request, monkeypatch):
    monkeypatch.setattr("torch.autocast", lambda *_, **__: nullcontext())  # which does not know the device
    return autoencoders.get(request.param)


def inputs_of(family):
    generator = torch.Generator().manual_seed(0)
    return {stream: torch.randn(SHAPES[stream], generator=generator) for stream in family.streams}


def moved(inputs):
    return {stream: values.to(THERE) for stream, values in inputs.items()}


def gradients(network, loss):
    loss.backward()
    found = {name: weight.grad.cpu() for name, weight in network.named_parameters() if weight.grad is not None}
    network.zero_grad()
    return found


def test_pretraining_as_on_the_cpu(family):
    """Masks stay on the CPU, and a step asks the device for no number."""
    torch.manual_seed(0)
    network, inputs = family.pretraining(family.sizes["tiny-test"]), inputs_of(family)
    masks = network.draw_masks(2, np.random.default_rng(0))
    expected = network(inputs, masks)
    slopes = gradients(network, expected.loss)
    rebuilt = network.rebuilt(inputs, masks, {key: part.detach() for key, part in expected.predictions.items()})
    with PretendDevice() as device:
        network, inputs = network.to(THERE), moved(inputs)
        made = network(inputs, masks)
        assert device.asked == 0
        torch.testing.assert_close(gradients(network, made.loss), slopes, rtol=1e-4, atol=1e-6)
        ours = network.rebuilt(inputs, masks, {key: part.detach() for key, part in made.predictions.items()})
        torch.testing.assert_close({key: part.cpu() for key, part in ours.items()}, rebuilt, rtol=1e-4, atol=1e-5)


def test_fine_tuning_as_on_the_cpu(family):
    network, inputs = family.fine_tuning(family.sizes["tiny-test"], 4, drop_path=0.1), inputs_of(family)
    expected, steps = network.eval()(inputs).logits.detach(), network.over_time(inputs).detach()
    slopes = gradients(network, network(inputs).logits.square().sum())
    with PretendDevice() as device:
        network, inputs = network.to(THERE), moved(inputs)
        network.train()(inputs)  # branches are left out there
        assert device.asked == 0
        made = network.eval()(inputs).logits
        torch.testing.assert_close(made.detach().cpu(), expected, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(network.over_time(inputs).detach().cpu(), steps, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(gradients(network, made.square().sum()), slopes, rtol=1e-4, atol=1e-6)

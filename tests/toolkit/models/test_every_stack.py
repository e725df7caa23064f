"""Laws that stacks of every registered network obey."""

import pytest
import torch

from specimens import DIMS, KINDS, assert_same, build, every, every_name, led, make, options_of, those
from toolkit.models.dropout import Chance
from toolkit.models.network import networks
from toolkit.models.stack import Stack, stackable

CPU = torch.device("cpu")
EXACT = 0 if torch.backends.mkl.is_available() else 1e-5  # other libraries promise nothing about the last bit

stacking = those([kind for kind in KINDS if build(*kind.values).stacks])


def members(name, level, **options):
    """Three networks that differ in their weights and in all options that a stack may differ in."""
    scalars = networks.get(name).scalars
    return [build(name, level, seed=seed, **dict.fromkeys(scalars, 0.1 * seed), **options) for seed in range(3)]


@every
def test_scalars_are_options_that_are_numbers_and_no_weights(name, level):
    defaults, scalars = options_of(name), networks.get(name).scalars
    assert [key for key in scalars if not isinstance(defaults.get(key), float)] == []
    assert set(scalars).isdisjoint(build(name, level).state_dict())


@every_name
def test_vectors_stack(name):
    stacks = [build(name, level).stacks for level in networks.get(name).levels]
    assert stacks == [level == "utterance" for level in networks.get(name).levels]


@stacking
@pytest.mark.parametrize(("batch", "hidden", "tolerance"), [(16, 16, EXACT), (5, 8, 1e-5), (1, 8, 1e-5)])
def test_a_stack_is_its_members_to_the_bit(name, level, batch, hidden, tolerance):
    """Each trains on clips of its own with dropout of its own: outputs and gradients are a stack of one's."""
    data = [make(level, batch=batch, seed=seed) for seed in range(3)]
    features = {key: torch.stack([one[key] for one in data]) for key in DIMS}
    lacking = torch.rand(3, batch, generator=torch.Generator().manual_seed(0)) < 0.3
    present = {"audio": torch.ones_like(lacking), "text": ~lacking, "visual": lacking | (torch.arange(batch) % 2 == 0)}

    def train(models):
        networks = members(name, level, hidden=hidden)
        stack = Stack([networks[model] for model in models], Chance([10 + model for model in models], CPU)).train()
        parts = ({key: part[models] for key, part in one.items()} for one in (features, present))
        output = stack(*parts)
        assert output.auxiliary_loss.shape == (len(models),)
        loss = output.emotion_logits.square().sum((1, 2)) + output.valence.square().sum(1) + output.auxiliary_loss
        loss.sum().backward()
        return output, {key: weight.grad for key, weight in stack.named_parameters()}

    together, pulls = train([0, 1, 2])
    for model in range(3):
        alone, pull = train([model])
        for part, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(part[model], expected[0], rtol=tolerance, atol=tolerance)
        for key, gradient in pull.items():
            assert (gradient is None) == (pulls[key] is None)
            if gradient is not None:
                torch.testing.assert_close(pulls[key][model], gradient[0], rtol=tolerance, atol=tolerance)


@every
def test_a_stack_is_the_networks_themselves(name, level):
    """Outputs of a stack, of its part and of what is taken out of it, beside those of the networks as they were."""
    count = 3 if build(name, level).stacks else 1
    networks, features = members(name, level)[:count], make(level)
    present = {"text": torch.tensor([True, False, True, True, True])}
    expected = [network.eval()(features, present) for network in networks]
    stack = Stack(networks).eval()
    together, apart = stack(led(features, count), led(present, count)), stack.apart(slice(0, count), features, present)
    for number, output in enumerate(expected):
        for ours in (together, apart):
            assert_same(type(ours)(*(part[number] for part in ours)), output, tolerance=1e-5)
        fresh = build(name, level, seed=9, **dict.fromkeys(type(stack.network).scalars, 0.1 * number)).eval()
        fresh.load_state_dict(stack.state(number))
        assert_same(fresh(features, present), output, tolerance=1e-6)


@stacking
def test_what_differs_in_scalars_stacks(name, level):
    assert stackable(members(name, level))
    assert not stackable([build(name, level), build(name, level, hidden=16)])

import pytest
import torch
from torch import nn

from toolkit.models.attention import Attention
from toolkit.models.dropout import Chance, Dropout
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.mlp import MultilayerPerceptron
from toolkit.models.network import Fused, Network, Sequences, row
from toolkit.models.stack import Stack, stackable

CPU = torch.device("cpu")
EXACT = 0 if torch.backends.mkl.is_available() else 1e-4  # other libraries promise nothing about the last bit
DIMS = {"a": 4, "b": 3}


class Toy(Network):
    """All that a network may hold: encoders, weights of its own, frozen ones, buffers of both kinds, dropout."""

    stacks = True
    scalars = ("dropout", "weight")

    def __init__(self, inputs, classes=3, *, hidden=8, dropout=0.3, weight=1.0, power=2):
        super().__init__(inputs, classes, hidden)
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=False)
        self.shifts = nn.ParameterList(torch.randn(hidden) for _ in self.inputs)
        self.frozen = nn.Parameter(torch.randn(hidden), requires_grad=False)
        self.register_buffer("scale", torch.rand(hidden))
        self.register_buffer("weight", torch.tensor(float(weight)), persistent=False)
        self.power = power
        self.dropout, self.linear = Dropout(dropout), Linear(hidden, hidden, bias=False)

    def fuse(self, features, present):
        parts = encode(self.encoders, features, present)
        total = sum(part + row(shift) for part, shift in zip(parts, self.shifts, strict=True))
        hidden = self.linear(self.dropout(total * row(self.scale) + row(self.frozen)))
        return Fused(hidden, self.weight * (total**self.power).mean(dim=(-1, -2)))


def toys(count=3, **options):
    torch.manual_seed(0)
    return [Toy(DIMS, dropout=0.2 * number, weight=1.0 + number, **options) for number in range(count)]


def batch(count=3, size=5):
    generator = torch.Generator().manual_seed(1)
    features = {key: torch.randn(count, size, dim, generator=generator) for key, dim in DIMS.items()}
    present = {key: torch.rand(count, size, generator=generator) < 0.7 for key in DIMS}
    return features, present


def only(model, parts):
    return {key: part[model : model + 1] for key, part in parts.items()}


def loss_of(output):
    return output.emotion_logits.square().sum((1, 2)) + output.valence.square().sum(1) + output.auxiliary_loss


def test_outputs_of_networks_without_a_stack():
    networks, (features, present) = toys(), batch()
    expected = [
        network.eval()(*({k: p[n] for k, p in parts.items()} for parts in (features, present)))
        for n, network in enumerate(networks)
    ]
    together = Stack(networks).eval()(features, present)
    assert [tuple(part.shape) for part in together] == [(3, 5, 8), (3, 5, 3), (3, 5), (3,)]
    for part, parts in zip(together, zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(part, torch.stack(parts), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [16, 32])
def test_training_together_is_training_alone_to_the_bit(size):
    """Ten steps of Adam with dropout, each model with a seed and a dropout of its own."""
    seeds = [5, 6, 5]
    features, present = batch(size=size)

    def train(members):
        networks = toys(hidden=16)
        stack = Stack([networks[number] for number in members], Chance([seeds[number] for number in members], CPU))
        optimizer = torch.optim.Adam([weight for weight in stack.parameters() if weight.requires_grad], lr=0.01)
        for _ in range(10):
            parts = ({key: part[members] for key, part in one.items()} for one in (features, present))
            losses = loss_of(stack.train()(*parts))
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
        return losses.detach(), [stack.state(number) for number in range(len(members))]

    losses, states = train([0, 1, 2])
    for model in range(3):
        (loss,), (state,) = train([model])
        torch.testing.assert_close(loss, losses[model], rtol=EXACT, atol=EXACT)
        for key, weight in state.items():
            torch.testing.assert_close(weight, states[model][key], rtol=EXACT, atol=EXACT)


def test_frozen_weights_and_buffers():
    networks = toys()
    frozen = torch.stack([network.frozen.detach() for network in networks])
    stack = Stack(networks)
    assert not stack.network.frozen.requires_grad
    assert torch.equal(stack.network.frozen, frozen)
    assert stack.network.scale.shape == (3, 8)
    assert stack.network.weight.tolist() == [1.0, 2.0, 3.0]
    assert {"network.scale"} == set(stack.state_dict()) - {
        f"network.{key}" for key, _ in stack.network.named_parameters()
    }


def test_state_is_the_network_s_own_and_a_copy():
    networks = toys()
    states = [{key: weight.clone() for key, weight in network.state_dict().items()} for network in networks]
    stack = Stack(networks)
    for number, expected in enumerate(states):
        state = stack.state(number)
        assert list(state) == list(expected)
        assert all(torch.equal(state[key], weight) for key, weight in expected.items())
        Toy(DIMS).load_state_dict(state)
    kept = stack.state(1)
    with torch.no_grad():
        for weight in stack.parameters():
            weight.zero_()
    assert all(torch.equal(kept[key], weight) for key, weight in states[1].items())


@pytest.mark.parametrize("members", [slice(0, 3), slice(1, 2), slice(1, 3), torch.tensor([2, 0]), torch.tensor([1])])
def test_apart_is_those_models_on_one_batch(members):
    features, present = batch()
    features, present = {k: p[0] for k, p in features.items()}, {k: p[0] for k, p in present.items()}
    expected = [network.eval()(features, present) for network in toys()]
    chosen = torch.arange(3)[members].tolist()
    apart = Stack(toys()).eval().apart(members, features, present)
    for part, parts in zip(apart, zip(*(expected[number] for number in chosen), strict=True), strict=True):
        torch.testing.assert_close(part, torch.stack(parts), rtol=1e-5, atol=1e-6)


def test_apart_leaves_the_stack_as_it_is():
    features, present = batch()
    stack = Stack(toys()).eval()
    before = stack(features, present)
    stack.apart(slice(1, 2), *({k: p[0] for k, p in parts.items()} for parts in (features, present)))
    for one, other in zip(before, stack(features, present), strict=True):
        assert torch.equal(one, other)


def test_a_modality_that_the_whole_batch_lacks():
    features, present = batch()
    stack = Stack(toys()).eval()
    present["b"][:] = False
    for one, other in zip(stack({"a": features["a"]}, {"a": present["a"]}), stack(features, present), strict=True):
        assert torch.equal(one, other)


def test_each_model_has_its_own_dropout():
    """Of three with probabilities 0, 0.2 and 0.4 each drops its own share, the first none."""
    stack = Stack(toys(), Chance([0, 1, 2], CPU)).train()
    seen = []
    stack.network.linear.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    features, present = batch(size=500)
    stack(features, present)
    shares = (seen[0] == 0).float().mean((1, 2)).tolist()
    assert shares == pytest.approx([0, 51 / 256, 102 / 256], abs=0.03)


def test_one_seed_drops_the_same():
    torch.manual_seed(0)
    network = Toy(DIMS, dropout=0.5)
    twin = Toy(DIMS, dropout=0.5)
    twin.load_state_dict(network.state_dict())
    features, present = ({key: part[:1].expand(2, *part.shape[1:]) for key, part in parts.items()} for parts in batch())
    output = Stack([network, twin], Chance([7, 7], CPU)).train()(features, present)
    assert torch.equal(output.features[0], output.features[1])


def test_a_network_that_does_not_stack_makes_a_stack_of_one():
    torch.manual_seed(0)
    network = Attention(DIMS, 3, hidden=8, dropout=0.5, frames=True)
    features = {key: Sequences(torch.randn(5, 6, dim), torch.tensor([6, 3, 1, 2, 4])) for key, dim in DIMS.items()}
    present = {key: torch.tensor([True, True, False, True, True]) for key in DIMS}
    expected = network.eval()(features, present)
    stack = Stack([network], Chance([3], CPU)).eval()
    led = {key: Sequences(part.values[None], part.lengths[None]) for key, part in features.items()}
    together = stack(led, {key: mask[None] for key, mask in present.items()})
    apart = stack.apart(slice(0, 1), features, present)
    for part, other, alone in zip(together, apart, expected, strict=True):
        assert torch.equal(part[0], alone)
        assert torch.equal(other[0], alone)
    assert all(torch.equal(weight, network.state_dict()[key]) for key, weight in stack.state(0).items())
    before = torch.get_rng_state()
    assert not torch.equal(stack.train()(led, {}).features, stack(led, {}).features)
    assert torch.equal(torch.get_rng_state(), before)


def test_all_of_it_moves():
    stack = Stack(toys(), Chance([0, 1, 2], CPU)).to("meta")
    tensors = [*stack.parameters(), *stack.buffers()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert stack.network.dropout.probabilities.device.type == "meta"
    assert stack.network.weight.device.type == "meta"


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(lambda: [MultilayerPerceptron(DIMS, 3, hidden=8)], id="another class"),
        pytest.param(lambda: [Toy(DIMS, hidden=9)], id="another width"),
        pytest.param(lambda: [Toy(DIMS, 4)], id="other classes"),
        pytest.param(lambda: [Toy({"a": 4, "c": 3})], id="other modalities of the same sizes"),
        pytest.param(lambda: [Toy(DIMS, power=3)], id="an option that is no number of the stack"),
        pytest.param(lambda: [Toy(DIMS), Toy(DIMS, hidden=9)], id="the last of three"),
    ],
)
def test_networks_that_are_not_alike(others):
    networks = [Toy(DIMS), *others()]
    assert not stackable(networks)
    with pytest.raises(ValueError, match=f"these {len(networks)} networks do not stack, or are not alike"):
        Stack(networks)


def test_networks_that_do_not_stack():
    networks = [Attention(DIMS, 3, hidden=8, frames=True) for _ in range(2)]
    assert not stackable(networks)
    with pytest.raises(ValueError, match="these 2 networks do not stack"):
        Stack(networks)


def test_networks_that_differ_in_numbers_only():
    assert stackable(toys())
    assert stackable(toys(1))

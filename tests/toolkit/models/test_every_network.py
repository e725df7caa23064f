"""Laws that every registered network obeys, at every level it reads."""

import inspect

import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.dropout import Chance
from toolkit.models.network import Sequences, build_network, networks
from toolkit.models.stack import Stack, stackable

CPU = torch.device("cpu")
EXACT = 0 if torch.backends.mkl.is_available() else 1e-5  # other libraries promise nothing about the last bit
DIMS = {"audio": 4, "text": 3, "visual": 6}
KINDS = [
    pytest.param(name, level, id=f"{name}-{level}") for name in networks.names() for level in networks.get(name).levels
]
GARBAGE = 1e4  # stands where nobody looks


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


# What it gives


@every
def test_output(name, level):
    network, features = build(name, level).eval(), make(level)
    before = each(features, torch.clone)
    output = network(features)
    width = network.emotion_head.in_features
    assert [tuple(part.shape) for part in output] == [(5, width), (5, 6), (5,), ()]
    assert all(part.isfinite().all() and part.dtype == torch.float32 for part in output)
    assert output.emotion_logits.std(0).min() > 0, "the same for every clip"
    for key, part in features.items():
        for ours, theirs in zip(part, before[key], strict=True):
            assert torch.equal(ours, theirs), "features were written to"


@every
def test_gradient_reaches_every_weight(name, level):
    network, features = build(name, level).eval(), make(level)
    # What stands in for a missing modality is only used where one is missing.
    subsets = [features, *({key: part} for key, part in features.items())]
    reached = [gradients(network, network(subset)) for subset in subsets]
    assert [key for key in reached[0] if not any(part[key].any() for part in reached)] == []


@every
def test_state_goes_round(name, level):
    network, other, features = build(name, level), build(name, level, seed=1), make(level)
    assert not torch.equal(network.eval()(features).features, other.eval()(features).features)
    other.load_state_dict(network.state_dict())
    assert_same(other(features), network(features), tolerance=0)
    places = [weight.untyped_storage().data_ptr() for weight in network.state_dict().values()]
    assert len(set(places)) == len(places), "weights that share memory cannot be saved as safetensors"


# Any modalities


@every
@pytest.mark.parametrize("names", [["egemaps"], ["b", "a"], ["x.1", "visual/face", "Ünï"], ["d", "c", "b", "a"]])
def test_built_with_any_modalities(name, level, names):
    dims = {key: 3 + number for number, key in enumerate(names)}
    network, features = build(name, level, dims), make(level, dims)
    output = network.train()(features)
    assert output.emotion_logits.shape == (5, 6)
    assert all(part.isfinite().all() for part in (*output, *gradients(network, output).values()))


@every
@pytest.mark.parametrize("keys", [["audio"], ["text"], ["audio", "visual"]])
def test_a_modality_not_given_is_one_that_no_clip_has(name, level, keys):
    network, features = build(name, level).eval(), make(level)
    given = network({key: features[key] for key in keys})
    present = {key: torch.full((5,), key in keys) for key in DIMS}
    spoilt = features
    for key in set(DIMS) - set(keys):
        spoilt = without(spoilt, key, slice(None))
    masked = network(spoilt, present)
    assert_same(given, masked)
    assert_same_gradients(gradients(network, given), gradients(network, masked))
    assert not torch.allclose(total(given), total(network(features)))


@every
@pytest.mark.parametrize("key", DIMS)
def test_what_a_clip_lacks_is_never_looked_at(name, level, key):
    network, features = build(name, level).eval(), make(level)
    rows = torch.tensor([1, 3])
    present = {key: torch.tensor([True, False, True, False, True])}
    before, after = network(features, present), network(without(features, key, rows), present)
    assert_same(after, before, tolerance=0)
    assert_same_gradients(gradients(network, after), gradients(network, before), tolerance=0)


@every
@pytest.mark.parametrize("key", DIMS)
def test_a_clip_that_lacks_a_modality_is_as_if_the_batch_did(name, level, key):
    network, features = build(name, level).eval(), make(level)
    output = network(without(features, key, [1]), {key: torch.tensor([True, False, True, True, True])})
    absent = network({other: part for other, part in features.items() if other != key})
    for ours, theirs, whole in zip(output[:3], absent[:3], network(features)[:3], strict=True):
        torch.testing.assert_close(ours[1], theirs[1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours[0], whole[0], rtol=1e-5, atol=1e-6)


@every
def test_order_of_keys(name, level):
    network, features = build(name, level).eval(), make(level)
    backwards = {key: features[key] for key in reversed(features)}
    assert_same(build(name, level, dict(reversed(DIMS.items()))).eval()(backwards), network(features), tolerance=0)


# Any batch


@every
@pytest.mark.parametrize("keys", [[], ["audio"], ["text", "visual"]])
def test_batch_of_one_trains(name, level, keys):
    network, features = build(name, level).train(), make(level, batch=1)
    output = network({key: part for key, part in features.items() if key not in keys})
    assert [tuple(part.shape) for part in output[1:]] == [(1, 6), (1,), ()]
    assert all(part.isfinite().all() for part in (*output, *gradients(network, output).values()))


@every
def test_a_clip_alone_is_the_clip_in_a_batch(name, level):
    """Also where the others are longer, so that the clip is padded among them and not alone."""
    network, features = build(name, level).eval(), make(level)
    whole = network(features)
    for clip in range(5):
        alone = each(features, lambda part, clip=clip: part[clip : clip + 1])
        if level != "utterance":
            alone = {key: Sequences(part.values[:, : part.lengths[0]], part.lengths) for key, part in alone.items()}
        for ours, theirs in zip(network(alone)[:3], whole[:3], strict=True):
            torch.testing.assert_close(ours[0], theirs[clip], rtol=1e-5, atol=1e-6)


@every
def test_order_of_clips(name, level):
    network, features = build(name, level).eval(), make(level)
    order = torch.tensor([3, 0, 4, 2, 1])
    present = {"text": torch.tensor([True, False, True, True, True])}
    whole = network(features, present)
    turned = network(each(features, lambda part: part[order]), each(present, lambda part: part[order]))
    assert_same(
        turned, whole._replace(**{key: getattr(whole, key)[order] for key in whole._fields[:3]}), tolerance=1e-5
    )


@every
@pytest.mark.parametrize("padding", [1, 4])
def test_clips_without_any_modality_change_nothing(name, level, padding):
    """A batch is filled up with such clips, so that all batches have one shape."""
    network, features = build(name, level).eval(), make(level)
    more = make(level, batch=5 + padding)
    filled = {}
    for key, part in features.items():
        if isinstance(part, Sequences):
            filled[key] = Sequences(*(torch.cat([p, q[5:]]) for p, q in zip(part, more[key], strict=True)))
        else:
            filled[key] = torch.cat([part, more[key][5:]])
    present = {key: torch.arange(5 + padding) < 5 for key in DIMS} | {
        "text": torch.tensor([1, 0, 1, 1, 1] + [0] * padding) > 0
    }
    output, expected = network(filled, present), network(features, {"text": present["text"][:5]})
    assert_same(output, expected, rows=slice(5), tolerance=1e-5)
    assert_same_gradients(gradients(network, output, slice(5)), gradients(network, expected), tolerance=1e-4)


@every
@pytest.mark.parametrize("batch", [1, 5])
def test_no_clip_with_anything(name, level, batch):
    network, features = build(name, level).train(), make(level, batch=batch)
    output = network(features, {key: torch.zeros(batch, dtype=torch.bool) for key in DIMS})
    assert output.auxiliary_loss == 0
    assert all(part.isfinite().all() for part in (*output, *gradients(network, output).values()))


# Any length


sequential = those([kind for kind in KINDS if kind.values[1] != "utterance"])


@sequential
def test_padding_changes_nothing(name, level):
    network, features = build(name, level).eval(), make(level)
    longer = {
        key: Sequences(torch.nn.functional.pad(part.values, (0, 0, 0, 4), value=-GARBAGE), part.lengths)
        for key, part in features.items()
    }
    output, expected = network(longer), network(features)
    assert_same(output, expected)
    assert_same_gradients(gradients(network, output), gradients(network, expected))


@sequential
def test_length_of_nothing(name, level):
    """A clip without frames, of one modality or where they are aligned of all, trains and is not looked at."""
    network, features = build(name, level).eval(), make(level)

    def emptied(value):
        some = DIMS if level == "aligned" else ["text"]
        clip = torch.arange(5) == 2
        return features | {
            key: Sequences(features[key].values.masked_fill(clip[:, None, None], value), features[key].lengths * ~clip)
            for key in some
        }

    output, other = network(emptied(0.0)), network(emptied(GARBAGE))
    assert all(part.isfinite().all() for part in (*output, *gradients(network, output).values()))
    assert_same(output, other, tolerance=0)


# Dropout


def led(parts, models):
    """Features or masks with an axis of models in front, the same for each."""
    return each(parts, lambda part: part.expand(models, *part.shape))


@every
def test_dropout_in_training_alone(name, level):
    network, features = build(name, level, dropout=0.5), make(level)
    assert not torch.equal(network.train()(features).features, network(features).features)
    assert_same(network.eval()(features), network(features), tolerance=0)


@every
def test_all_randomness_of_training_is_the_seed_s(name, level):
    features, present = led(make(level), 1), {key: torch.ones(1, 5, dtype=torch.bool) for key in DIMS}

    def train(seed):
        stack = Stack([build(name, level, dropout=0.5)], Chance([seed], CPU)).train()
        before = torch.get_rng_state()
        outputs = [stack(features, present) for _ in range(2)]
        assert torch.equal(torch.get_rng_state(), before), "the global generator was asked"
        return outputs

    first, again, other = train(3), train(3), train(4)
    for one, two in zip(first, again, strict=True):
        assert_same(one, two, tolerance=0)
    assert not torch.equal(first[0].features, other[0].features)
    assert not torch.equal(first[0].features, first[1].features)


# Stacks


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


# Mistakes


def wrong_values(option, default):
    """Values that an option cannot have: counts below one, words for numbers, unknown inputs."""
    if option == "dropout":
        return [-0.5, 1.0, 2, "much"]
    if isinstance(default, bool):
        return []
    if isinstance(default, int):
        return [0, -3, "wide"]
    return ["heavy"] if isinstance(default, float) else ["smell"]


@every_name
def test_wrong_value_of_an_option(name):
    for option, default in options_of(name).items():
        for value in wrong_values(option, default):
            with pytest.raises(UserError, match=f"Network '{name}' cannot be built with .*{option}.*{value}"):
                build_network(name, DIMS, 6, **{option: value})


@every_name
def test_unknown_option(name):
    with pytest.raises(UserError, match="'hiden'"):
        build_network(name, DIMS, 6, hiden=3)


@every_name
def test_no_inputs(name):
    with pytest.raises(UserError, match=f"Network '{name}' cannot be built"):
        build_network(name, {}, 6)


@every
def test_inputs_that_it_was_not_built_with(name, level):
    features = make(level)
    with pytest.raises(ValueError, match="non-empty subset"):
        build(name, level)(features | {"smell": features["audio"]})

"""Laws that every registered network obeys, at every level it reads."""

import pytest
import torch

from specimens import (
    DIMS,
    GARBAGE,
    KINDS,
    assert_same,
    assert_same_gradients,
    build,
    each,
    every,
    every_name,
    gradients,
    led,
    make,
    options_of,
    those,
    total,
    without,
)
from toolkit.errors import UserError
from toolkit.models.dropout import Chance
from toolkit.models.network import Sequences, build_network
from toolkit.models.stack import Stack

CPU = torch.device("cpu")

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


@every
def test_without_gradients_there_is_no_loss_of_its_own(name, level):
    """Evaluation does not pay for what nobody learns from."""
    network, features = build(name, level).eval(), make(level)
    output = network(features)
    with torch.no_grad():
        assert_same(network(features), output._replace(auxiliary_loss=torch.zeros(())))


@every
def test_everything_is_made_where_the_weights_are(name, level):
    """On a device of which the others know nothing; there are no numbers on it, only shapes."""
    network, features = build(name, level).to("meta").train(), each(make(level), lambda part: part.to("meta"))
    for keys in (list(DIMS), ["text"], ["audio", "visual"]):
        present = {"text": torch.ones(5, dtype=torch.bool, device="meta")}
        output = network({key: features[key] for key in keys}, present)
        assert {part.device.type for part in output} == {"meta"}
        total(output).backward()


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

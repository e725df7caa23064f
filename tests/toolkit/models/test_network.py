import pytest
import torch

from toolkit.errors import UserError
from toolkit.models.network import Sequences, build_network, networks

DIMS = {"visual": 6, "audio": 4, "text": 3}


def build(name, dims=DIMS, classes=6):
    torch.manual_seed(0)
    return build_network(name, dims, classes, hidden=8).eval()


@pytest.mark.parametrize("name", networks.names())
def test_output_shapes(name, features):
    output = build(name)(features)
    assert [tuple(part.shape) for part in output] == [(5, 8), (5, 6), (5,), ()]
    assert output._fields == ("features", "emotion_logits", "valence", "auxiliary_loss")


@pytest.mark.parametrize("name", networks.names())
def test_batch_of_one_is_the_same_as_in_a_batch(name, features):
    network = build(name)
    whole = network(features).emotion_logits
    alone = network({key: values[2:3] for key, values in features.items()}).emotion_logits
    torch.testing.assert_close(alone[0], whole[2], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", networks.names())
@pytest.mark.parametrize("keys", [["audio"], ["text", "visual"], ["audio", "text", "visual"]])
def test_any_subset_built_or_given(name, keys, features):
    some = {key: features[key] for key in keys}
    assert build(name)(some).emotion_logits.shape == (5, 6)
    assert build(name, {key: DIMS[key] for key in keys})(some).emotion_logits.shape == (5, 6)


@pytest.mark.parametrize("name", networks.names())
def test_missing_modality_of_one_clip_is_the_same_as_the_key_missing(name, features):
    network = build(name)
    present = {"text": torch.tensor([True, False, True, True, True])}
    masked = network(features, present).emotion_logits
    absent = network({key: features[key] for key in ("audio", "visual")}).emotion_logits
    torch.testing.assert_close(masked[1], absent[1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(masked[0], network(features).emotion_logits[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", networks.names())
def test_missing_modality_is_never_looked_at(name, features):
    network = build(name)
    present = {"text": torch.zeros(5, dtype=torch.bool)}
    before = network(features, present).emotion_logits
    after = network(features | {"text": torch.full((5, 3), 1e6)}, present).emotion_logits
    torch.testing.assert_close(before, after, rtol=0, atol=0)


@pytest.mark.parametrize("name", networks.names())
def test_gradient_reaches_every_parameter(name, features):
    network = build_network(name, DIMS, 6, hidden=8, dropout=0.0)
    output = network(features, {"text": torch.tensor([True, True, False, True, True])})
    # A missing modality's stand-in is only used where one is missing.
    output = [*output, *network({"audio": features["audio"]}), *network({"text": features["text"]})]
    sum(part.sum() for part in output).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()] == []


@pytest.mark.parametrize("name", networks.names())
def test_order_of_keys_does_not_matter(name, features):
    backwards = {key: features[key] for key in sorted(features, reverse=True)}
    torch.testing.assert_close(build(name)(features), build(name)(backwards), rtol=0, atol=0)


def test_unknown_modality(features):
    with pytest.raises(ValueError, match="non-empty subset"):
        build("mlp")(features | {"smell": features["audio"]})
    with pytest.raises(ValueError, match="non-empty subset"):
        build("mlp")({})


def test_unknown_network():
    with pytest.raises(UserError, match=r"Unknown network 'atention'. Did you mean 'attention'\?"):
        build_network("atention", DIMS, 6)


def test_unknown_option():
    with pytest.raises(UserError, match="'hiden'"):
        build_network("mlp", DIMS, 6, hiden=3)


@pytest.mark.parametrize("name", networks.names())
@pytest.mark.parametrize("option", [{"hidden": 0}, {"hidden": -3}, {"hidden": "wide"}, {"dropout": 2}])
def test_wrong_value_of_an_option(name, option):
    with pytest.raises(UserError, match=f"Network '{name}' cannot be built with .*{next(iter(option))}"):
        build_network(name, DIMS, 6, **option)


def test_mask_is_true_where_a_frame_is_real():
    mask = Sequences(torch.zeros(2, 3, 4), torch.tensor([1, 3])).mask
    assert mask.tolist() == [[True, False, False], [True, True, True]]

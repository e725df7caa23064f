"""Networks as settings describe them."""

import pytest
import torch

from baseline.pretraining.networks import build
from toolkit.errors import UserError


def test_weights_come_from_the_seed_alone(quickly):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    networks = [build(quickly(seed=seed)[0]).state_dict() for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), before)
    name = "encoder.blocks.0.mlp.fc1.weight"
    assert torch.equal(networks[0][name], networks[1][name])
    assert not torch.equal(networks[0][name], networks[2][name])


@pytest.mark.parametrize(("model", "hidden"), [("mae-dfer", 64), ("svfap", 64), ("videomae", 64), ("hicmae", 64)])
def test_the_share_of_hidden_tokens(quickly, model, hidden):
    import numpy as np

    network = build(quickly(model=model, mask_ratio=0.5)[0])
    assert network.draw_masks(1, np.random.default_rng(0))["video"].sum() == hidden  # of 8 x 4 x 4


def test_options_of_the_network(quickly):
    assert build(quickly(model="hicmae", network={"contrast_weight": 0.5})[0]).contrast_weight == 0.5
    assert build(quickly(model="svfap", network={"context": "release"})[0]).encoder.context == "release"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "mae-dfr"}, "Did you mean 'mae-dfer'"),
        ({"size": "large"}, "'videomae' has no size 'large'"),
        ({"model": "svfap", "network": {"contxt": "release"}}, "'contxt' is no option of 'svfap'.*'context'"),
        ({"model": "svfap", "network": {"context": "wrong"}}, "context=wrong: expected bottleneck or release"),
        ({"model": "hicmae", "network": {"temperature": "hot"}}, "temperature=hot: expected a number"),
        ({"mask_ratio": 0.05}, "leaves 128 of 128 to be seen in video"),
        ({"audio_mask_ratio": 0.5}, "hears nothing"),
    ],
)
def test_mistakes_are_named(quickly, given, message):
    with pytest.raises(UserError, match=message):
        build(quickly(**given)[0])

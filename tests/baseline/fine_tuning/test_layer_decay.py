"""Learning rates and weight decay of every parameter against the tables of the authors' code."""

import json

import pytest
import torch

from baseline.fine_tuning.layer_decay import parameter_groups, rates_of
from toolkit.models.masked_autoencoder import autoencoders

TABLES = {
    "maedfer_base": ("mae-dfer", "base"),
    "svfap_base": ("svfap", "base"),
    "svfap_small": ("svfap", "small"),
    "hicmae_base": ("hicmae", "base"),
    "hicmae_small": ("hicmae", "small"),
    "hicmae_tiny": ("hicmae", "tiny"),
    "videomae_base": ("videomae", "base"),
}


@pytest.mark.parametrize("name", TABLES)
def test_rates_are_the_authors(name, parity):
    family, size = TABLES[name]
    facts = json.loads((parity / f"{name}_finetune_keys.json").read_text())
    table = facts["layer_decay_groups"]
    kind = autoencoders.get(family)
    with torch.device("meta"):
        network = kind.fine_tuning(kind.sizes[size], facts["config"]["num_classes"])
    found = {one: rates for one, _, rates in rates_of(network, table["layer_decay"], 0.05)}
    assert found.keys() == table["params"].keys()
    for parameter, expected in table["params"].items():
        assert found[parameter].scale == pytest.approx(expected["lr_scale"], rel=1e-9), parameter
        assert found[parameter].weight_decay == expected["weight_decay"], parameter


def test_groups_hold_every_parameter_once():
    kind = autoencoders.get("mae-dfer")
    network = kind.fine_tuning(kind.sizes["tiny-test"], 3)
    groups = parameter_groups(network, 0.5, 0.05)
    members = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(members) == sorted(map(id, network.parameters()))
    # Tokenizer, two blocks and the rest, each with and without weight decay: 0.5 to the powers of 3, 2, 1 and 0.
    pairs = {(group["scale"], group["weight_decay"]) for group in groups}
    assert pairs == {(scale, decay) for scale in (0.125, 0.25, 0.5, 1.0) for decay in (0.0, 0.05)}

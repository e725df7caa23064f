"""Checkpoints as the authors write them."""

import argparse
import inspect
import os

import numpy as np
import pytest
import torch

from baseline.pretraining.checkpoint import checkpoint_path, last_checkpoint, read_own, said_of_options, said_of_size
from baseline.pretraining.networks import build
from baseline.pretraining.run import pretrain
from toolkit.errors import UserError
from toolkit.models.checkpoint import load_checkpoint
from toolkit.models.masked_autoencoder import autoencoders


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("hicmae", "tiny-test"),
        ("mae-dfer", "tiny-test"),
        ("svfap", "tiny-test"),
        ("videomae", "tiny-test"),
        ("videomae", "tiny"),
    ],
)
def test_load_checkpoint_takes_what_was_written(quickly, model, size, read_weights):
    settings, doings = quickly(model=model, size=size, epochs=1)
    pretrain(settings, doings)
    path = checkpoint_path(doings.out, 0)
    loaded = load_checkpoint(path)
    assert loaded.report.family == model
    assert loaded.size == autoencoders.get(model).sizes[size]
    assert loaded.report.assumed == {}
    written = read_weights(path)
    assert all(torch.equal(tensor, written[name]) for name, tensor in loaded.network.state_dict().items())
    tuned = load_checkpoint(path, form="fine-tuning", outputs=3)
    assert tuned.size == loaded.size


@pytest.mark.parametrize(
    ("model", "network"),
    [
        ("mae-dfer", {"order": "release"}),
        ("svfap", {"context": "release", "upsample": "release"}),
        ("hicmae", {"contrast_weight": 0.5}),
    ],
)
def test_a_run_s_own_file_loads_as_it_was_trained(quickly, model, network):
    """Its network loses on a batch what the one that was trained loses, with the masks that that one draws."""
    settings, doings = quickly(model=model, network=network, epochs=1, mask_ratio=0.5)
    pretrain(settings, doings)
    trained, loaded = build(settings), load_checkpoint(checkpoint_path(doings.out, 0))
    trained.load_state_dict(loaded.network.state_dict())
    assert network.items() <= loaded.report.told.items()
    shapes = {"video": (2, 3, 16, 64, 64), "audio": (2, 1, 256, 128)}
    inputs = {stream: torch.randn(shapes[stream]) for stream in autoencoders.get(model).streams}
    masks = [one.draw_masks(2, np.random.default_rng(0)) for one in (trained, loaded.network)]
    assert all(torch.equal(mask, masks[1][stream]) for stream, mask in masks[0].items())
    with torch.no_grad():
        losses = [one.eval()(inputs, masks[0]).loss for one in (trained, loaded.network)]
        usual = load_checkpoint(checkpoint_path(doings.out, 0), **standard(model, network)).network.eval()
        assert losses[0] == losses[1] != usual(inputs, masks[0]).loss


def standard(model, network):
    """The same options as they are if nothing is said of them."""
    parameters = inspect.signature(autoencoders.get(model).pretraining).parameters
    return {name: parameters[name].default for name in network}


def test_content_is_that_of_the_authors(quickly):
    settings, doings = quickly(epochs=1)
    pretrain(settings, doings)
    with torch.serialization.safe_globals([argparse.Namespace]):
        content = torch.load(checkpoint_path(doings.out, 0), weights_only=True)
    assert {"model", "optimizer", "epoch", "scaler", "args"} <= content.keys()
    assert content["epoch"] == 0
    assert content["args"].img_size == 64
    assert not any(name.startswith("module.") for name in content["model"])


def test_the_latest_is_found_by_its_number(tmp_path):
    assert last_checkpoint(tmp_path) is None
    for name in ("checkpoint-9.pth", "checkpoint-10.pth", "checkpoint-best.pth", ".checkpoint-11.7.pth"):
        (tmp_path / name).touch()
    assert last_checkpoint(tmp_path).name == "checkpoint-10.pth"


def test_damaged_and_hostile_files_are_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harmed"),)

    path = tmp_path / "checkpoint-0.pth"
    torch.save({"model": Hostile()}, path)
    with pytest.raises(UserError, match="cannot be read"):
        read_own(path)
    assert not (tmp_path / "harmed").exists()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="cannot be read"):
        read_own(path)
    torch.save({"model": {}}, path)
    with pytest.raises(UserError, match="has no args, curve, epoch"):
        read_own(path)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("mae-dfer", {"mean_of": "local", "activation": "tanh"}),
        ("mae-dfer", {"mean_of": "representatives", "activation": None}),
        ("mae-dfer", {"order": "release", "activation": None}),
        ("hicmae", {"activation": "sigmoid"}),
        ("videomae", {"norm_tokens": True, "activation": None}),
    ],
)
def test_options_come_back(model, options, tmp_path):
    family = autoencoders.get(model)
    size = family.sizes["tiny-test"]
    network = family.fine_tuning(size, 2, **options)
    arguments = argparse.Namespace(**said_of_size(size), **said_of_options(network))
    torch.save({"model": network.state_dict(), "args": arguments}, tmp_path / "model.pth")
    loaded = load_checkpoint(tmp_path / "model.pth")
    assert loaded.report.assumed == {}
    assert loaded.network.head.activation == options["activation"]
    for option in options.keys() - {"activation"}:
        assert getattr(loaded.network, option) == options[option]


def test_said_of_size():
    said = said_of_size(autoencoders.get("hicmae").sizes["base"])
    assert said["img_size_audio"] == [256, 128]
    assert said["return_intermediate_features"] == (3, 6, 9)

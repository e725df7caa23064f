"""Files of weights: what they hold comes out, what they ask for is not run."""

import argparse
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from toolkit.errors import UserError
from toolkit.models.checkpoint_file import read_checkpoint

WEIGHTS = {"head.weight": torch.arange(6.0).reshape(2, 3), "head.bias": torch.tensor([0.5, -0.5])}


class Hostile:
    """Runs a program of the shell where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


class OldName:
    """A number of numpy as versions before 2 pickled it: by a constructor in another module."""

    def __reduce__(self):
        return (_old_scalar, (np.dtype("float64"), np.float64(0.75).tobytes()))


def _old_scalar():
    """Stands for ``numpy.core.multiarray.scalar``, whose name it is given below."""


_old_scalar.__module__, _old_scalar.__name__, _old_scalar.__qualname__ = "numpy.core.multiarray", "scalar", "scalar"


def released(**arguments):
    """What the authors' trainers save: numbers of numpy come from schedules of learning rates."""
    group = {"lr": np.float64(1.5e-4), "weight_decay": np.float64(0.05), "params": [0, 1]}
    return {
        "model": WEIGHTS,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [group]},
        "epoch": 49,
        "scaler": {"scale": 65536.0, "growth_factor": 2.0},
        "args": argparse.Namespace(**arguments),
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_a_released_file_as_it_is(tmp_path, zipped):
    content = released(model="pretrain", input_size=160, lg_region_size=(2, 5, 10), lr=np.float64(0.25), resume=None)
    torch.save(content, tmp_path / "checkpoint-49.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(pickle.UnpicklingError):  # what makes the list of harmless classes necessary
        torch.load(tmp_path / "checkpoint-49.pth", weights_only=True)
    read = read_checkpoint(tmp_path / "checkpoint-49.pth")
    assert read.weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(read.weights[name], WEIGHTS[name]) for name in WEIGHTS)
    expected = {"model": "pretrain", "input_size": 160, "lg_region_size": (2, 5, 10), "lr": 0.25, "resume": None}
    assert read.arguments == expected
    assert argparse.Namespace not in torch.serialization.get_safe_globals()  # nothing stays allowed afterwards


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # numpy warns of its old name
@pytest.mark.parametrize("name", ["numpy._core.multiarray", "numpy.core.multiarray"])
def test_numbers_under_both_names(tmp_path, name):
    is_old, path = name == "numpy.core.multiarray", tmp_path / "net.pth"
    with pytest.MonkeyPatch.context() as patch:
        if is_old:
            patch.setattr("numpy.core.multiarray.scalar", _old_scalar)
        arguments = argparse.Namespace(min_lr=OldName() if is_old else np.float64(0.75))
        torch.save({"model": WEIGHTS, "args": arguments}, path)
    assert f"{name}\nscalar".encode() in path.read_bytes()
    assert read_checkpoint(path).arguments == {"min_lr": 0.75}


@pytest.mark.parametrize("value", [np.str_("lr"), np.bytes_(b"lr"), np.datetime64("2024-01-01")])
def test_what_is_no_number(tmp_path, value):
    torch.save({"model": WEIGHTS, "args": argparse.Namespace(lr=value)}, tmp_path / "net.pth")
    with pytest.raises(UserError, match=r"cannot be read safely: .*a number of type"):
        read_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize(
    "wrapped",
    [WEIGHTS, {"model": WEIGHTS}, {"module": WEIGHTS}, {"model": {f"module.{k}": v for k, v in WEIGHTS.items()}}],
    ids=["plain", "model", "module", "several devices"],
)
def test_wrappings_come_off(tmp_path, wrapped):
    torch.save(wrapped, tmp_path / "net.pth")
    read = read_checkpoint(tmp_path / "net.pth")
    assert read.weights.keys() == WEIGHTS.keys()
    assert read.arguments == {}


def test_safetensors(tmp_path):
    save_file(WEIGHTS, tmp_path / "net.safetensors")
    read = read_checkpoint(tmp_path / "net.safetensors")
    assert torch.equal(read.weights["head.bias"], WEIGHTS["head.bias"])


@pytest.mark.parametrize("kind", ["zipped", "old", "bare pickle"])
@pytest.mark.parametrize("place", ["args", "model"])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, kind, place):
    path, content = tmp_path / "net.pth", released() | {place: Hostile(tmp_path / "harm")}
    if kind == "bare pickle":
        path.write_bytes(pickle.dumps({"epoch": 49, place: content[place]}, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zipped")
    with pytest.raises(UserError) as refusal:
        read_checkpoint(path)
    said = str(refusal.value)
    assert said.startswith(f"The checkpoint {path} cannot be read safely: it asks for 'posix.system', ")
    assert "\n" not in said
    assert not (tmp_path / "harm").exists()


def test_what_is_called_hostile_would_do_harm(tmp_path):
    """Or the test above could not fail: the call itself, as unpickling makes it."""
    call, arguments = Hostile(tmp_path / "harm").__reduce__()
    call(*arguments)
    assert (tmp_path / "harm").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["zipped", "old", "safetensors"])
def test_a_truncated_file(tmp_path, kind, share):
    path = tmp_path / ("net.safetensors" if kind == "safetensors" else "net.pth")
    if kind == "safetensors":
        save_file(WEIGHTS, path)
    else:
        torch.save(released(), path, _use_new_zipfile_serialization=kind == "zipped")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cannot be read safely: it is damaged.*Copy or download it again\.$"):
        read_checkpoint(path)


def test_a_weight_with_one_wrong_bit(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(released(), path)
    content = bytearray(path.read_bytes())
    content[content.index(np.float32([0.5, -0.5]).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"'net/data/\d' does not match its check sum"):
        read_checkpoint(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_damage_anywhere_is_a_users_error(tmp_path):
    """Whatever a byte is changed to, the file is read or refused; nothing else comes of it."""
    path = tmp_path / "net.pth"
    torch.save(released(model="x", ratio=np.float64(0.9)), path, _use_new_zipfile_serialization=False)
    whole, generator = path.read_bytes(), np.random.default_rng(0)
    said = []
    for place in generator.integers(len(whole), size=300):
        path.write_bytes(whole[:place] + bytes([generator.integers(256)]) + whole[place + 1 :])
        try:
            read_checkpoint(path)
        except UserError as error:
            said.append(str(error))
    assert len(said) > 100
    assert not any("weights_only" in line for line in said)  # torch's advice to read it all the same


def test_files_that_hold_no_weights(tmp_path):
    with pytest.raises(UserError, match=r"There is no checkpoint .*net\.pth\. Expected"):
        read_checkpoint(tmp_path / "net.pth")
    torch.save([1, 2], tmp_path / "net.pth")
    with pytest.raises(UserError, match="holds a list, expected a dictionary of tensors"):
        read_checkpoint(tmp_path / "net.pth")

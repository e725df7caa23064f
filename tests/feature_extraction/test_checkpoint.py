"""Checkpoints: read safely, refused clearly."""

import dataclasses
import json
import pickle

import pytest
import torch
from safetensors.torch import save_file

from feature_extraction.checkpoint import load_into, pretrained, read_state, seeded, weights_file
from feature_extraction.spec import EncoderSpec
from toolkit.errors import UserError

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


def spec(checkpoint: str, **fields) -> EncoderSpec:
    return EncoderSpec(name="net", modality="audio", family="any", checkpoint=checkpoint, **fields)


class Hostile:
    """Leaves a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    "wrapped",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model": {f"module.{k}": v for k, v in STATE.items()}},
        {"module": STATE},
    ],
)
def test_wrappings_come_off(tmp_path, wrapped):
    torch.save(wrapped, tmp_path / "net.pth")
    state = read_state(tmp_path / "net.pth")
    assert state.keys() == STATE.keys()
    assert torch.equal(state["weight"], STATE["weight"])


def test_safetensors(tmp_path):
    save_file(STATE, tmp_path / "net.safetensors")
    assert torch.equal(read_state(tmp_path / "net.safetensors")["weight"], STATE["weight"])


def test_hostile_pickle_does_not_run(tmp_path):
    with (tmp_path / "net.pth").open("wb") as file:
        pickle.dump({"state_dict": Hostile(tmp_path / "harm")}, file, protocol=2)
    with pytest.raises(UserError, match=r"net\.pth cannot be read safely"):
        read_state(tmp_path / "net.pth")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_damaged_file(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="cannot be read safely"):
        read_state(tmp_path / name)


def test_not_a_dictionary(tmp_path):
    torch.save([1, 2], tmp_path / "net.pth")
    with pytest.raises(UserError, match="holds a list"):
        read_state(tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": None}, "lacks 'bias' of shape \\(2,\\)"),
        ({"weight": torch.zeros(2, 4)}, "has 'weight' of shape \\(2, 4\\), expected \\(2, 3\\)"),
        ({"more": torch.zeros(1)}, "has 'more', which the network has not"),
    ],
)
def test_first_difference_is_named(tmp_path, change, message):
    state = {name: value for name, value in {**STATE, **change}.items() if value is not None}
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.clone()
    with pytest.raises(UserError, match=message):
        load_into(layer, state, tmp_path / "net.pth")
    assert torch.equal(layer.weight, before)


def test_load_into():
    layer = torch.nn.Linear(3, 2)
    load_into(layer, STATE, "net.pth")
    assert torch.equal(layer.weight, STATE["weight"])


def test_missing_weights_say_where_and_whence(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    wanted = spec("local:net.pth", source="the authors' page")
    with pytest.raises(UserError, match=f"{tmp_path}/net.pth, which do not exist. Get them from the authors' page"):
        weights_file(wanted)
    torch.save(STATE, tmp_path / "net.pth")
    assert weights_file(wanted) == tmp_path / "net.pth"


def test_missing_model_says_where_it_was_looked_for(monkeypatch, tmp_path):
    from transformers import AutoModel

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    wanted = spec("hf:nobody/nothing", revision="abc")
    with pytest.raises(UserError) as error:
        pretrained(AutoModel.from_pretrained, wanted)
    assert "'net' needs the checkpoint nobody/nothing, which is not in " in str(error.value)
    assert "hf download nobody/nothing --revision abc" in str(error.value)


def test_folder_without_a_model(tmp_path):
    from transformers import AutoModel

    with pytest.raises(UserError, match=f"cannot be loaded from the folder {tmp_path}"):
        pretrained(AutoModel.from_pretrained, spec(f"hf:{tmp_path}"))


def _cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _pointer(path):
    """What git leaves in place of a large file where git-lfs is not installed."""
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 438000000\n")


@pytest.mark.parametrize("harm", [_cut_short, _pointer, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_damaged_weights_in_a_folder(tmp_path, name, harm):
    from transformers import BertConfig, BertModel

    network = BertModel(BertConfig(vocab_size=8, num_hidden_layers=1, hidden_size=48, intermediate_size=48))
    network.config.save_pretrained(tmp_path)
    if name == "model.safetensors":
        save_file(network.state_dict(), tmp_path / name, {"format": "pt"})
    else:
        torch.save(network.state_dict(), tmp_path / name)
    wanted = spec(f"hf:{tmp_path}")
    assert pretrained(BertModel.from_pretrained, wanted).config.hidden_size == 48
    harm(tmp_path / name)
    with pytest.raises(UserError, match=r"^'net': weights in .* are damaged.* download them again") as error:
        pretrained(BertModel.from_pretrained, wanted)
    assert "weights_only" not in str(error.value)  # torch's advice to read the file without care


def test_code_of_a_checkpoint_runs_only_if_trusted_by_name():
    calls = []

    def load(name, **options):
        calls.append((name, options["trust_remote_code"]))

    wanted = spec("hf:org/net", remote_code=True)
    with pytest.raises(UserError, match="If you trust its authors, say so: --trust net"):
        pretrained(load, wanted, {"another"})
    assert calls == []
    pretrained(load, wanted, {"net"})
    pretrained(load, wanted, {"org/net"})
    pretrained(load, spec("hf:org/net"))
    assert calls == [("org/net", True), ("org/net", True), ("org/net", False)]


def test_variants_are_trusted_with_what_they_vary():
    def load(name, **options):
        return options["trust_remote_code"]

    variant = dataclasses.replace(spec("hf:org/net", remote_code=True), name="net@bfloat16")
    assert pretrained(load, variant, {"net"})
    with pytest.raises(UserError, match="--trust net@bfloat16"):
        pretrained(load, variant, {"ne"})


def test_model_of_no_table_that_brings_code(tmp_path):
    from transformers import AutoModel

    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"If you trust its authors, say so: --trust net$"):
        pretrained(AutoModel.from_pretrained, spec(f"hf:{tmp_path}"))


def test_seeded_draws_the_same_and_leaves_the_rest_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with seeded():
        first = torch.rand(3)
    with seeded():
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.rand(1), expected)

"""One device, all of them, or a message: decided by what a stand-in says is free."""

import sys
from types import SimpleNamespace

import pytest

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.text import spreading
from feature_extraction.text.spreading import free_bytes, settle, weight_bytes
from toolkit.errors import UserError


@pytest.fixture
def network():
    import torch

    return torch.nn.Linear(9, 10)  # 100 weights


def test_weight_bytes(network):
    assert weight_bytes(network) == 400
    assert weight_bytes(network.bfloat16()) == 200


def test_memory_that_is_not_known_is_enough(network):
    assert free_bytes("cpu") == float("inf")
    assert settle(network, "cpu") is network


def test_without_accelerate(network, monkeypatch):
    monkeypatch.setattr(spreading, "free_bytes", lambda device: 440)
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UserError, match=r"pip install 'mer-toolkit\[llm\]'"):
        settle(network, "cuda")
    monkeypatch.setattr(spreading, "free_bytes", lambda device: 450)
    assert settle(network, "cpu") is network


def test_one_device_of_several(network, monkeypatch):
    monkeypatch.setattr(spreading, "free_bytes", lambda device: 300)
    with pytest.raises(UserError, match="--device cuda spreads it"):
        settle(network, "cuda:1")


def test_network_too_large_is_spread(monkeypatch):
    """The family hands its network to accelerate, and runs what it gets back."""
    calls = {}

    def dispatch(network, device_map, skip_keys):
        calls.update(map=device_map, skip=skip_keys)
        return network

    fake = SimpleNamespace(
        utils=SimpleNamespace(
            get_max_memory=lambda: {0: 100, 1: 200, "cpu": 1},
            get_balanced_memory=lambda network, memory, no_split_module_classes: memory,
        ),
        infer_auto_device_map=lambda network, max_memory, no_split_module_classes: (
            calls.update(whole=no_split_module_classes, memory=max_memory) or {"": "cpu"}
        ),
        dispatch_model=dispatch,
    )
    encoder = build_encoder(get_spec("tiny-llama", "text"))
    monkeypatch.setitem(sys.modules, "accelerate", fake)
    monkeypatch.setattr(spreading, "free_bytes", lambda device: 1000)
    encoder.device = "cuda"
    assert encoder.place(encoder.network) is encoder.network
    assert calls["whole"] == ["LlamaDecoderLayer"]
    assert calls["memory"] == {0: 90, 1: 180, "cpu": 2 * weight_bytes(encoder.network)}  # batches need the rest
    assert calls["map"] == {"": "cpu"}
    assert calls["skip"] == encoder.network._skip_keys_device_placement


def test_what_no_gpu_holds_stays_where_it_is(monkeypatch):
    """The weights fill the memory that the package asks for, and it would look for a disk."""
    accelerate = pytest.importorskip("accelerate")
    network, maps = build_encoder(get_spec("tiny-llama", "text")).network, []
    monkeypatch.setattr(accelerate.utils, "get_max_memory", lambda: {"cpu": 1})
    monkeypatch.setattr(accelerate, "dispatch_model", lambda network, device_map, **_: maps.append(device_map))
    monkeypatch.setattr(spreading, "free_bytes", lambda device: 1000)
    settle(network, "cuda")
    assert set(maps[0].values()) == {"cpu"}

"""Devices by name, and cores."""

import os

import pytest
import torch

from toolkit import device as subject
from toolkit.device import give_back_memory, is_want_of_memory, must_fit, resolve_device, usable_cores
from toolkit.errors import UserError


def test_cpu_is_always_there():
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_is_the_best_there_is(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == best


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99"])
def test_no_such_device(name):
    with pytest.raises(UserError, match=rf"^Device '{name}' cannot be used: .*Try --device cpu\.$"):
        resolve_device(name)


def test_want_of_memory_is_told_from_other_errors():
    assert is_want_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_want_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(UserError, match=r"^'bert' does not fit on cuda\. Try"), must_fit("'bert'", "cuda"):
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(RuntimeError, match="shapes"), must_fit("'bert'", "cuda"):
        raise RuntimeError("shapes")


def test_memory_is_given_back_by_the_devices_there_are(monkeypatch):
    given = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: given.append("mps"))
    for device in ("cuda", "mps"):
        with monkeypatch.context() as only:
            only.setattr(torch.cuda, "is_available", lambda device=device: device == "cuda")
            only.setattr(torch.backends.mps, "is_available", lambda device=device: device == "mps")
            give_back_memory()
    assert given == ["cuda", "mps"]


def test_cores_that_a_scheduler_left(monkeypatch):
    monkeypatch.setattr(subject.os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert usable_cores() == 3


def test_cores_of_a_mac(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    assert usable_cores() == 10

import math
import os

import pytest

from toolkit import memory

PAGES = 4096 * 1_000_000


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of a million pages whose containers' limits are the files given."""

    def make(*words):
        paths = [tmp_path / str(number) for number in range(len(words))]
        for path, word in zip(paths, words, strict=True):
            path.write_text(word)
        monkeypatch.setattr(memory, "_CONTAINER_LIMITS", [*map(str, paths), str(tmp_path / "absent")])
        monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1_000_000}.get)
        monkeypatch.setattr(os, "sysconf_names", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 2})

    return make


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], PAGES),
        (["max\n"], PAGES),
        (["1073741824\n"], 2**30),
        (["9223372036854771712"], PAGES),  # what the first control groups say where there is no limit
        (["2147483648", "1073741824"], 2**30),
    ],
)
def test_the_machine_or_its_container(machine, words, expected):
    machine(*words)
    assert memory.usable_memory() == expected


def test_a_system_that_does_not_say(machine, monkeypatch):
    machine()
    monkeypatch.delattr(os, "sysconf_names")
    assert memory.usable_memory() == math.inf


def test_this_machine():
    assert 2**27 < memory.usable_memory() < 2**50

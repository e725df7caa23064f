"""Fixtures that several networks' tests share."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor


@pytest.fixture
def features() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(5, dim, generator=generator) for key, dim in (("audio", 4), ("text", 3), ("visual", 6))}


@pytest.fixture(scope="session")
def entries() -> Callable[[torch.nn.Module], dict[str, tuple[tuple[int, ...], str]]]:
    """Returns shape and number type of every entry of a network's state dictionary."""

    def read(network: torch.nn.Module) -> dict[str, tuple[tuple[int, ...], str]]:
        state = network.state_dict()
        return {name: (tuple(value.shape), str(value.dtype).removeprefix("torch.")) for name, value in state.items()}

    return read

import pytest
import torch


@pytest.fixture
def features() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(5, dim, generator=generator) for key, dim in (("audio", 4), ("text", 3), ("visual", 6))}

"""The memory fusion's recurrence against its formulas, clip by clip and frame by frame."""

import pytest
import torch

from toolkit.models.memory_fusion import MemoryFusion
from toolkit.models.network import Sequences

DIMS = {"audio": 4, "face": 2, "text": 3, "visual": 5}
LENGTHS = torch.tensor([3, 6, 1, 0])
HIDDEN, MEMORY = 4, 3


@pytest.fixture(params=[1, 2, 4])
def dims(request) -> dict[str, int]:
    return dict(list(DIMS.items())[: request.param])


@pytest.fixture
def features(dims) -> dict[str, Sequences]:
    generator = torch.Generator().manual_seed(0)
    return {key: Sequences(torch.randn(4, 6, dim, generator=generator), LENGTHS) for key, dim in dims.items()}


@pytest.fixture
def fusion(dims) -> MemoryFusion:
    torch.manual_seed(0)
    return MemoryFusion(dims.values(), HIDDEN, MEMORY, dropout=0.3).eval()


def by_hand(fusion: MemoryFusion, clip: list[torch.Tensor]) -> torch.Tensor:
    """One clip, ``(time, dim)`` by modality, in the words of the paper."""
    count = len(clip)
    hidden, cells, memory = [torch.zeros(HIDDEN)] * count, [torch.zeros(HIDDEN)] * count, torch.zeros(MEMORY)
    for step in range(len(clip[0])):
        before = torch.cat(cells)
        for number, values in enumerate(clip):
            hidden[number], cells[number] = fusion.lstm.cells[number](values[step], (hidden[number], cells[number]))
        around = torch.cat([before, *cells])
        attended = fusion.attention(around).softmax(dim=0) * around
        both = torch.cat([attended, memory])
        retain, update = fusion.memory.retain(both).sigmoid(), fusion.memory.update(both).sigmoid()
        memory = retain * memory + update * fusion.memory.candidate(attended).tanh()
    return torch.cat([*hidden, memory])


def test_by_hand(fusion, features):
    result = fusion(features, {key: torch.ones(4, dtype=torch.bool) for key in features})
    assert result.shape == (4, fusion.width)
    assert fusion.width == len(features) * HIDDEN + MEMORY
    for clip, length in enumerate(LENGTHS):
        expected = by_hand(fusion, [part.values[clip, :length] for part in features.values()])
        torch.testing.assert_close(result[clip], expected, rtol=0, atol=1e-6)
    assert not result[3].any()  # it has no frames


def test_a_modality_that_a_clip_lacks_leaves_its_states_zero_and_has_no_part_in_the_length(fusion, features):
    present = {key: torch.ones(4, dtype=torch.bool) for key in features}
    present["audio"][1] = False
    result = fusion(features, present)
    assert not result[1, :HIDDEN].any()
    short = features | {"audio": Sequences(features["audio"].values, torch.tensor([3, 0, 1, 0]))}
    torch.testing.assert_close(fusion(short, present), result, rtol=0, atol=0)
    long = features | {"audio": Sequences(features["audio"].values, torch.tensor([3, 99, 1, 0]))}
    torch.testing.assert_close(fusion(long, present), result, rtol=0, atol=0)
    if len(features) > 1:
        assert result[1, HIDDEN:].any()

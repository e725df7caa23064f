"""Several LSTMs in one step against torch's own, one by one."""

import pytest
import torch
from torch import nn

from toolkit.models.network import Sequences
from toolkit.models.parallel_lstm import ParallelLSTM

DIMS = {"audio": 4, "text": 3}
LENGTHS = torch.tensor([5, 2, 4])
EVERYWHERE = {key: torch.ones(3, dtype=torch.bool) for key in DIMS}


@pytest.fixture
def features() -> dict[str, Sequences]:
    generator = torch.Generator().manual_seed(0)
    return {key: Sequences(torch.randn(3, 5, dim, generator=generator), LENGTHS) for key, dim in DIMS.items()}


@pytest.fixture
def lstm() -> ParallelLSTM:
    torch.manual_seed(0)
    return ParallelLSTM(DIMS.values(), 6)


def one_by_one(cell: nn.LSTMCell, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    hidden = memory = torch.zeros(len(values), cell.hidden_size)
    states = [(hidden, memory)]
    for step in range(values.shape[1]):
        hidden, memory = cell(values[:, step], (hidden, memory))
        states.append((hidden, memory))
    return tuple(torch.stack(part) for part in zip(*states, strict=True))


def test_states_and_gradients_are_those_of_the_cells_one_by_one(lstm, features):
    hidden, cells = lstm(features, EVERYWHERE)
    assert hidden.shape == cells.shape == (6, 3, 2, 6)
    (hidden.square().sum() + cells.sin().sum()).backward()
    gradients = {name: weight.grad.clone() for name, weight in lstm.named_parameters()}
    lstm.zero_grad()
    loss = 0
    for number, key in enumerate(DIMS):
        expected, memory = one_by_one(lstm.cells[number], features[key].values)
        torch.testing.assert_close(hidden[:, :, number], expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(cells[:, :, number], memory, rtol=0, atol=1e-6)
        loss = loss + expected.square().sum() + memory.sin().sum()
    loss.backward()
    for name, weight in lstm.named_parameters():
        torch.testing.assert_close(gradients[name], weight.grad, rtol=1e-5, atol=1e-5)


def test_a_modality_that_a_clip_lacks_rests_at_zero(lstm, features):
    hidden, cells = lstm(features, EVERYWHERE | {"text": torch.tensor([True, False, True])})
    assert not hidden[:, 1, 1].any()
    assert not cells[:, 1, 1].any()
    full, _ = lstm(features, EVERYWHERE)
    torch.testing.assert_close(hidden[:, [0, 2]], full[:, [0, 2]], rtol=0, atol=0)
    torch.testing.assert_close(hidden[:, 1, 0], full[:, 1, 0], rtol=0, atol=0)


def test_a_modality_that_no_clip_has_rests_at_zero(lstm, features):
    hidden, _ = lstm({"audio": features["audio"]}, EVERYWHERE | {"text": torch.zeros(3, dtype=torch.bool)})
    full, _ = lstm(features, EVERYWHERE)
    assert not hidden[:, :, 1].any()
    torch.testing.assert_close(hidden[:, :, 0], full[:, :, 0], rtol=0, atol=0)

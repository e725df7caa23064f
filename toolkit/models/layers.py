"""Layers that several networks share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from toolkit.models.network import Sequences


def multilayer(dim: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Returns Linear, ReLU and Dropout for each of ``widths``, the first reading ``dim`` numbers."""
    layers: list[nn.Module] = []
    for before, after in zip([dim, *widths], widths, strict=False):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


class VectorEncoder(nn.Module):
    """Dropout on the input, then three times Linear and ReLU (MERTools, ``MLPEncoder``).

    Args:
        dim: input dimension
        hidden: width of every layer
        dropout: probability of dropping an input number
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.ModuleList(nn.Linear(d, hidden) for d in (dim, hidden, hidden))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, dim)`` to ``(batch, hidden)``."""
        values = self.dropout(values)
        for linear in self.linear:
            values = linear(values).relu()
        return values


class SequenceEncoder(nn.Module):
    """Last state of a one-layer LSTM, dropout, one Linear (MERTools, ``LSTMEncoder``).

    The reference pads at the front without a mask, so its state depends on the padding; here the state is taken after
    the last real frame, which is the same where nothing is padded.

    Args:
        dim: input dimension
        hidden: size of the state and of the output
        dropout: probability of dropping a number of the state
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.rnn = nn.LSTM(dim, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, sequences: Sequences) -> Tensor:
        """Maps ``(batch, time, dim)`` to ``(batch, hidden)``; a clip without frames gives the state after none."""
        states, _ = self.rnn(sequences.values)  # (B, T, H)
        states = torch.cat([states.new_zeros(len(states), 1, states.shape[2]), states], dim=1)  # (B, 1 + T, H)
        rows = torch.arange(len(states), device=states.device)
        return self.linear(self.dropout(states[rows, sequences.lengths]))

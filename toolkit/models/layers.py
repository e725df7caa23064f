"""Layers that several networks share."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.linear import Linear, RectifiedLinear
from toolkit.models.network import Features, Sequences


def multilayer(dim: int, widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Returns Linear, ReLU and Dropout for each of ``widths``, the first reading ``dim`` numbers."""
    layers: list[nn.Module] = []
    for before, after in zip([dim, *widths], widths, strict=False):
        layers += [Linear(before, after), nn.ReLU(), Dropout(dropout)]
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
        self.dropout = Dropout(dropout)
        self.linear = nn.ModuleList(RectifiedLinear(d, hidden) for d in (dim, hidden, hidden))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(..., batch, dim)`` to ``(..., batch, hidden)``."""
        values = self.dropout(values)
        for linear in self.linear:
            values = linear(values)
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
        self.dropout = Dropout(dropout)
        self.linear = Linear(hidden, hidden)

    def forward(self, sequences: Sequences) -> Tensor:
        """Maps ``(batch, time, dim)`` to ``(batch, hidden)``; a clip without frames gives the state after none."""
        states, _ = self.rnn(sequences.values)  # (B, T, H)
        states = torch.cat([states.new_zeros(len(states), 1, states.shape[2]), states], dim=1)  # (B, 1 + T, H)
        rows = torch.arange(len(states), device=states.device)
        return self.linear(self.dropout(states[rows, sequences.lengths]))


def encoders(dims: Iterable[int], hidden: int, dropout: float, *, frames: bool) -> nn.ModuleList:
    """Returns one encoder per modality: `SequenceEncoder` for frames, `VectorEncoder` for utterance vectors."""
    encoder = SequenceEncoder if frames else VectorEncoder
    # By position, not by key: a module's name must hold no dot, and encoders' names may.
    return nn.ModuleList(encoder(dim, hidden, dropout) for dim in dims)


def encode(modules: nn.ModuleList, features: Features, present: Mapping[str, Tensor]) -> list[Tensor]:
    """Returns each modality encoded, ``(batch, hidden)``, zero where a clip lacks it.

    Args:
        modules: one encoder per modality, in the order of ``present``
        features: by modality, any non-empty subset
        present: ``(batch,)`` boolean for every modality
    """
    encoded = {key: module(features[key]) for key, module in zip(present, modules, strict=True) if key in features}
    some = next(iter(encoded.values()))
    return [
        torch.where(mask[..., None], encoded[key], 0.0) if key in encoded else torch.zeros_like(some)
        for key, mask in present.items()
    ]

"""Translating one sequence into another: an encoder, a decoder that looks back at what was encoded, what it is told."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from toolkit.models.dropout import LEVELS, Dropout
from toolkit.models.linear import Linear
from toolkit.models.network import Sequences


class Encoded(NamedTuple):
    """A sequence that a decoder can translate.

    Attributes:
        joint: ``(batch, time, hidden)`` of every frame
        state: ``(batch, hidden)`` of the whole
    """

    joint: Sequences
    state: Tensor


class TranslationEncoder(nn.Module):
    """Dropout, then an LSTM in each direction over the real frames, their states added.

    Args:
        dim: input dimension
        hidden: size of the states
        dropout: probability, on the input
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.forwards, self.backwards = (nn.LSTM(dim, hidden, batch_first=True) for _ in range(2))
        self.state = Linear(hidden, hidden, bias=False)

    def forward(self, sequences: Sequences) -> Encoded:
        """Encodes ``(batch, time, dim)``; a clip without frames has the state of zeros."""
        lengths, values = sequences.lengths, self.dropout(sequences.values)
        steps = torch.arange(values.shape[1], device=values.device)
        turned = torch.where(sequences.mask, lengths[:, None] - 1 - steps, steps)[..., None]  # (B, T, 1)
        early = self.forwards(values)[0]  # (B, T, H)
        late = self.backwards(values.gather(1, turned.expand_as(values)))[0]
        rows, last = torch.arange(len(values), device=values.device), (lengths - 1).clamp(min=0)
        ends = torch.where(lengths[:, None] > 0, early[rows, last] + late[rows, last], 0)
        joint = early + late.gather(1, turned.expand_as(late))
        return Encoded(Sequences(joint, lengths), self.state(ends).tanh())


class AdditiveAttention(nn.Module):
    """The mean of encoded frames, weighted by a small network's scores (Bahdanau et al., ICLR 2015, arXiv:1409.0473).

    Args:
        hidden: size of states and frames
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.state, self.key = (Linear(hidden, hidden, bias=False) for _ in range(2))
        self.score = Linear(hidden, 1, bias=False)

    def forward(self, state: Tensor, joint: Sequences, keys: Tensor) -> Tensor:
        """Returns ``(batch, hidden)``.

        Args:
            state: ``(batch, hidden)`` of the decoder
            joint: ``(batch, time, hidden)``
            keys: ``(batch, time, hidden)``, ``self.key(joint.values)``, which is the same for all steps
        """
        scores = self.score((self.state(state)[:, None] + keys).tanh())[..., 0]  # (B, T)
        # The lowest finite number, so that a clip without frames gives no NaN.
        weights = scores.masked_fill(~joint.mask, torch.finfo(scores.dtype).min).softmax(1)
        return (weights[:, None] @ joint.values)[:, 0]


class TranslationDecoder(nn.Module):
    """An LSTM that writes a sequence frame by frame, looking at the encoded one before each.

    It begins with the encoder's state and a frame of zeros, and then reads the frame before: the true one where it is
    forced, otherwise its own.

    Args:
        dim: of the widest sequence that it writes
        hidden: size of the states
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.dim = dim
        self.attention = AdditiveAttention(hidden)
        self.cell = nn.LSTMCell(dim + hidden, hidden)
        self.output = Linear(2 * hidden, dim)

    def forward(self, encoded: Encoded, target: Tensor, forced: Tensor) -> Tensor:
        """Returns the translation, ``(batch, time, columns)``.

        Args:
            encoded: what is translated
            target: ``(batch, time, columns)``, the true frames, at most ``dim`` wide
            forced: ``(batch, time)`` boolean, true where the step after is told the true frame
        """
        joint, hidden = encoded
        keys = self.attention.key(joint.values)
        cell, before, written = torch.zeros_like(hidden), torch.zeros_like(target[:, 0]), []
        for step in range(target.shape[1]):
            context = self.attention(hidden, joint, keys)
            hidden, cell = self.cell(torch.cat([widened(before, self.dim), context], 1), (hidden, cell))
            frame = self.output(torch.cat([hidden, context], 1))[:, : target.shape[2]]
            before = torch.where(forced[:, step, None], target[:, step], frame)
            written.append(frame)
        return torch.stack(written, 1)


class TeacherForcing(Dropout):
    """Decides for each step of each clip whether the decoder is told the true frame; never outside training.

    A `Dropout`, so that its chance is the network's own.

    Args:
        ratio: probability of being told, from 0 to 1
    """

    def __init__(self, ratio: float) -> None:
        super().__init__(0.0)
        if not 0 <= ratio <= 1:
            raise ValueError(f"a teacher forcing ratio of {ratio}, expected 0 to 1")
        self.ratio = ratio

    def forward(self, values: Tensor) -> Tensor:
        """Returns ``(batch, time)`` boolean for values of ``(batch, time, ...)``."""
        if not self.training:
            return torch.zeros(values.shape[:2], dtype=torch.bool, device=values.device)
        if self.chance is None:
            return torch.rand(values.shape[:2], device=values.device) < self.ratio
        return self.chance.draw(values.shape[:2])[0] < self.ratio * LEVELS


def widened(values: Tensor, width: int) -> Tensor:
    """Returns ``(..., columns)`` as ``(..., width)``, with zeros behind."""
    return nn.functional.pad(values, (0, width - values.shape[-1]))

"""LSTMs that write sequences of several modalities side by side."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from toolkit.models.linear import Linear


class ParallelDecoder(nn.Module):
    """One LSTM per modality, all of one size, that starts from a code and then reads what it said last.

    The decoder of the multimodal factorization model (Tsai et al., ICLR 2019, arXiv 1806.06176). Its state begins at
    zero, so the first step sees the code alone; from then on what is read is the hidden state, and both weights of the
    LSTM meet the same numbers: their sum is one matrix product for all modalities.

    Args:
        dims: feature dimension of each modality
        width: size of a code and of every state
    """

    def __init__(self, dims: Iterable[int], width: int) -> None:
        super().__init__()
        dims = list(dims)
        self.cells = nn.ModuleList(nn.LSTMCell(width, width) for _ in dims)
        self.frames = nn.ModuleList(Linear(width, dim) for dim in dims)

    def forward(self, codes: Tensor, count: int) -> list[Tensor]:
        """Returns ``count`` frames of every modality, each ``(batch, count, dim)``.

        Args:
            codes: ``(modalities, batch, width)``
            count: number of frames, 1 or more
        """
        first = torch.stack([cell.weight_ih.T for cell in self.cells])  # (M, W, 4 W)
        onward = first + torch.stack([cell.weight_hh.T for cell in self.cells])
        bias = torch.stack([cell.bias_ih + cell.bias_hh for cell in self.cells])[:, None]  # (M, 1, 4 W)
        hidden, cell, states = codes, torch.zeros_like(codes), []
        for weight in (first, *[onward] * (count - 1)):
            enter, keep, candidate, show = torch.baddbmm(bias, hidden, weight).chunk(4, dim=-1)
            cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
            hidden = show.sigmoid() * cell.tanh()
            states.append(hidden)
        written = torch.stack(states, dim=2)  # (M, B, T, W)
        return [linear(state) for linear, state in zip(self.frames, written, strict=True)]

"""LSTMs of several modalities that step through the same frames together."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from toolkit.models.network import Features


class ParallelLSTM(nn.Module):
    """One LSTM per modality, all of one size; each frame costs one batched matrix product for all of them.

    What the frames contribute is computed for all frames at once, so that only the recurrence is left to the loop.

    A modality that a clip lacks contributes exact zeros in place of its frames and biases. From there an LSTM cannot
    move: its candidate ``tanh(0)`` is zero, and so its cell and its hidden state stay zero, those of a sequence
    without frames.

    Args:
        dims: feature dimension of each modality
        hidden: size of every state
    """

    def __init__(self, dims: Iterable[int], hidden: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(dim, hidden) for dim in dims)

    def forward(self, features: Features, present: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Returns hidden states and cell states, both ``(1 + time, batch, modalities, hidden)``.

        The first of each is the start, zeros. What follows a clip's last frame is made of padding and means nothing.

        Args:
            features: aligned `toolkit.models.network.Sequences` by modality, any non-empty subset
            present: ``(batch,)`` boolean for every modality, in the order of ``dims``
        """
        recurrent = torch.stack([cell.weight_hh.T for cell in self.cells])  # (M, H, 4H)
        frames = self._frames(features, present)
        hidden = cell = frames.new_zeros(*frames.shape[1:3], recurrent.shape[1])  # (M, B, H)
        states = [(hidden, cell)]
        for frame in frames.unbind():  # indexing each would cost a gradient of the size of them all
            enter, keep, candidate, show = torch.baddbmm(frame, hidden, recurrent).chunk(4, dim=-1)
            cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
            hidden = show.sigmoid() * cell.tanh()
            states.append((hidden, cell))
        hiddens, cells = zip(*states, strict=True)
        return torch.stack(hiddens).transpose(1, 2), torch.stack(cells).transpose(1, 2)

    def _frames(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns what the frames add to the gates, ``(time, modalities, batch, 4 * hidden)``."""
        added = {
            key: nn.functional.linear(features[key].values, cell.weight_ih, cell.bias_ih + cell.bias_hh)
            for key, cell in zip(present, self.cells, strict=True)
            if key in features
        }
        nothing = torch.zeros_like(next(iter(added.values())))  # (B, T, 4H)
        here = [torch.where(mask[:, None, None], added.get(key, nothing), nothing) for key, mask in present.items()]
        return torch.stack([part.transpose(0, 1) for part in here], dim=1)

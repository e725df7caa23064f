"""Memory fusion: an LSTM per modality, and a memory of what happens across them."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from toolkit.models.aligned import frame_counts, state_after
from toolkit.models.gated_memory import GatedMemory, two_layers
from toolkit.models.network import Features
from toolkit.models.parallel_lstm import ParallelLSTM


class MemoryFusion(nn.Module):
    """The recurrent part of the memory fusion network, for any number of modalities.

    At every frame an attention weighs all numbers of all cells before and after it against each other (one softmax
    over them), and a gated memory takes in what is so attended to (Zadeh et al., AAAI 2018, arXiv:1802.00927). Since
    the cells do not see the memory, they run first, and the attention over all frames is one computation.

    A modality that a clip lacks is a cell at rest: its states are zero throughout (`ParallelLSTM`), and it has no part
    in the clip's length.

    Args:
        dims: feature dimension of each modality
        hidden: size of every LSTM and width of all inner layers
        memory: size of the memory
        dropout: probability, on the inner layers of attention and gates

    Attributes:
        width: size of what comes out
    """

    def __init__(self, dims: Iterable[int], hidden: int, memory: int, dropout: float) -> None:
        super().__init__()
        self.lstm = ParallelLSTM(dims, hidden)
        states = len(self.lstm.cells) * hidden
        self.width = states + memory
        self.attention = two_layers(2 * states, hidden, 2 * states, dropout)
        self.memory = GatedMemory(2 * states, hidden, memory, dropout)

    def forward(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the hidden states after each clip's last frame and the memory beside them, ``(batch, width)``.

        Padding after a clip's end changes nothing; a clip without frames gives zeros.

        Args:
            features: aligned `toolkit.models.network.Sequences` by modality, any non-empty subset
            present: ``(batch,)`` boolean for every modality, in the order of ``dims``
        """
        hidden, cells = self.lstm(features, present)
        lengths = frame_counts(features, present)
        cells = cells.flatten(2)  # (1 + T, B, M * H)
        around = torch.cat([cells[:-1], cells[1:]], dim=-1)  # before and after every frame
        memories = self.memory(self.attention(around).softmax(dim=-1) * around)
        return torch.cat([state_after(hidden, lengths).flatten(1), state_after(memories, lengths)], dim=-1)

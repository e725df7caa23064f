"""Early fusion: all modalities of a frame side by side into one LSTM."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.aligned import frame_counts, side_by_side, state_after
from toolkit.models.dropout import Dropout
from toolkit.models.linear import Linear
from toolkit.models.network import Features, Network, networks


@networks.add("ef_lstm")
class EarlyFusionLSTM(Network):
    """Features side by side at every frame, LSTM layers over them, one more layer on the last state.

    As in MERTools (MER2024 ``ef_lstm.py``) there is dropout between the LSTM layers, on the last state and on the fused
    representation itself. The reference pads in front without a mask, and its outputs lose an axis where a batch holds
    one clip; here each clip's state is taken after its last real frame. A modality that a clip lacks is zero at all
    frames, as if its columns of the first layer were not there.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: size of the LSTM's states and of the fused representation
        layers: how many LSTMs read each other
        dropout: probability
    """

    levels = ("aligned",)

    def __init__(
        self, inputs: Mapping[str, int], classes: int, *, hidden: int = 128, layers: int = 2, dropout: float = 0.3
    ) -> None:
        super().__init__(inputs, classes, hidden)
        if layers < 1:
            raise ValueError(f"{layers} LSTM layers, expected 1 or more")
        dims = [sum(self.inputs.values()), *[hidden] * (layers - 1)]
        self.layers = nn.ModuleList(nn.LSTM(dim, hidden) for dim in dims)  # one each: `Dropout` is to be in between
        self.linear = Linear(hidden, hidden)
        self.dropout = Dropout(dropout)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns what one layer makes of the last LSTM's state after each clip's last frame, ``(batch, hidden)``."""
        states = side_by_side(features, present, self.inputs).transpose(0, 1)  # (T, B, sum of dims)
        for number, layer in enumerate(self.layers):
            states, _ = layer(self.dropout(states) if number else states)
        states = torch.cat([torch.zeros_like(states[:1]), states])  # (1 + T, B, H), the state before any frame first
        last = state_after(states, frame_counts(features, present))
        return self.dropout(self.linear(self.dropout(last)).relu())

"""The graph memory fusion network."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.aligned import frame_counts, state_after
from toolkit.models.fusion_graph import FusionGraph
from toolkit.models.gated_memory import GatedMemory, two_layers
from toolkit.models.linear import Linear
from toolkit.models.network import Features, Network, networks
from toolkit.models.parallel_lstm import ParallelLSTM


@networks.add("graph_mfn")
class GraphMemoryFusionNetwork(Network):
    """The memory fusion network with a graph of all sets of modalities in place of the attention.

    The graph reads, of every modality, what one layer makes of the hidden states before and after a frame; a gated
    memory takes in what the graph gives, and two layers read the last hidden states and the memory. Zadeh et al., ACL
    2018 (`FusionGraph`); sizes as in MERTools (MER2024 ``graph_mfn.py``).

    Other than the reference, all of the graph learns (`FusionGraph`), there may be any number of modalities up to 8,
    and each clip's state is taken after its last real frame in place of padding in front. A modality that a clip lacks
    is an LSTM at rest: its hidden states are zero throughout, and the graph sees the constant that its layer makes of
    them. With one modality the graph is the one node that sums up.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: size of every LSTM, width of all nodes and inner layers; the fused representation is half as wide
        memory: size of the memory
        dropout: probability, on the inner layers of gates and output
    """

    levels = ("aligned",)

    def __init__(
        self, inputs: Mapping[str, int], classes: int, *, hidden: int = 128, memory: int = 128, dropout: float = 0.3
    ) -> None:
        super().__init__(inputs, classes, hidden // 2)
        count = len(self.inputs)
        self.lstm = ParallelLSTM(self.inputs.values(), hidden)
        self.singles = nn.ModuleList(Linear(2 * hidden, hidden) for _ in self.inputs)
        self.graph = FusionGraph(count, hidden)
        self.memory = GatedMemory(hidden, hidden, memory, dropout)
        self.output = two_layers(count * hidden + memory, hidden, hidden // 2, dropout)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns what two layers make of the last hidden states and the memory, ``(batch, hidden // 2)``."""
        hidden, _ = self.lstm(features, present)
        around = torch.cat([hidden[:-1], hidden[1:]], dim=-1)  # (T, B, M, 2H), before and after every frame
        singles = [layer(part).relu() for layer, part in zip(self.singles, around.unbind(2), strict=True)]
        memories = self.memory(self.graph(torch.stack(singles, dim=2)))
        lengths = frame_counts(features, present)
        last = [state_after(hidden, lengths).flatten(1), state_after(memories, lengths)]
        return self.output(torch.cat(last, dim=-1))

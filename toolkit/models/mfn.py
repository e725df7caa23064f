"""The memory fusion network (MFN)."""

from collections.abc import Mapping

from torch import Tensor

from toolkit.models.gated_memory import two_layers
from toolkit.models.memory_fusion import MemoryFusion
from toolkit.models.network import Features, Network, networks


@networks.add("mfn")
class MemoryFusionNetwork(Network):
    """An LSTM per modality, attention across their cells, a memory of what it finds; two layers read the last state.

    Zadeh, Liang, Mazumder, Poria, Cambria and Morency, "Memory Fusion Network for Multi-view Sequential Learning",
    AAAI 2018, arXiv:1802.00927; sizes as in MERTools (MER2024 ``mfn.py``). The reference wants exactly three
    modalities, and pads in front without a mask, so that its states begin with the padding; here there may be any
    number, and each clip's state is taken after its last real frame. Where nothing is padded both are the same. A
    modality that a clip lacks is a cell at rest (`MemoryFusion`).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: size of every LSTM and width of all inner layers; the fused representation is half as wide
        memory: size of the memory
        dropout: probability, on all inner layers
    """

    levels = ("aligned",)

    def __init__(
        self, inputs: Mapping[str, int], classes: int, *, hidden: int = 128, memory: int = 128, dropout: float = 0.3
    ) -> None:
        super().__init__(inputs, classes, hidden // 2)
        self.fusion = MemoryFusion(self.inputs.values(), hidden, memory, dropout)
        self.output = two_layers(self.fusion.width, hidden, hidden // 2, dropout)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns what two layers make of the last hidden states and the memory, ``(batch, hidden // 2)``."""
        return self.output(self.fusion(features, present))

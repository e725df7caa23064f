"""The dynamic fusion graph: a node for every set of modalities."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from toolkit.models.linear import Linear

INNER = 100  # width inside of every node (MERTools, MER2024 ``graph_mfn.py``)
MOST = 8  # modalities; they make 255 nodes with 6305 inputs, ten would make 1023 with 58025


class FusionGraph(nn.Module):
    """A node for every set of two modalities or more, and one that sums up.

    A node reads the nodes of all smaller sets that lie in its own, the modalities themselves among them; the last node
    reads all. Each input is scaled by a number of its own, its efficacy, which depends on all modalities. Zadeh, Liang,
    Poria, Cambria and Morency, "Multimodal Language Analysis in the Wild: CMU-MOSEI Dataset and Interpretable Dynamic
    Fusion Graph", ACL 2018 (P18-1208), section 4.1. As in MERTools the efficacies are used as they are, without a
    sigmoid, and a node is two linear layers with nothing in between.

    The reference keeps the nodes of sets in a plain dictionary, where no optimiser finds them: they stay as they were
    drawn. It also starts them all from one copy of their second layer. Here every node has weights of its own and
    learns.

    Args:
        modalities: how many; of one, nothing is left but the node that sums up
        width: size of what every modality and every node gives

    Attributes:
        subsets: every set of modalities, by size and then in the order of the modalities; also the order in which a
            node reads its inputs
        sources: for every node, the numbers of the subsets that it reads

    Raises:
        ValueError: more modalities than can have a node for every set of them
    """

    def __init__(self, modalities: int, width: int) -> None:
        super().__init__()
        if modalities > MOST:
            raise ValueError(
                f"{modalities} modalities would make {2**modalities - 1} nodes, one for every set of them; expected "
                f"at most {MOST} modalities. Take fewer, or the network mfn"
            )
        sizes = range(1, modalities + 1)
        self.subsets = [subset for size in sizes for subset in combinations(range(modalities), size)]
        self.sources = [self._inside(subset) for subset in self.subsets[modalities:]]
        self.sources.append(list(range(len(self.subsets))))
        self.nodes = nn.ModuleList(
            nn.Sequential(Linear(len(sources) * width, INNER), Linear(INNER, width)) for sources in self.sources
        )
        edges = sum(map(len, self.sources))
        self.efficacies = nn.Sequential(Linear(modalities * width, INNER), Linear(INNER, width), Linear(width, edges))

    def forward(self, modalities: Tensor) -> Tensor:
        """Maps ``(..., modalities, width)`` to ``(..., width)``."""
        edges = self.efficacies(modalities.flatten(-2)).split([len(sources) for sources in self.sources], dim=-1)
        known = list(modalities.unbind(-2))
        for node, sources, efficacies in zip(self.nodes, self.sources, edges, strict=True):
            read = torch.stack([known[source] for source in sources], dim=-2) * efficacies[..., None]
            known.append(node(read.flatten(-2)))
        return known[-1]

    def _inside(self, subset: Sequence[int]) -> list[int]:
        """Returns the numbers of the subsets that lie in ``subset`` and are smaller."""
        return [number for number, other in enumerate(self.subsets) if set(other) < set(subset)]

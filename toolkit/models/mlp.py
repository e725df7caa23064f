"""The plain network of the MER2023 baseline: everything side by side into two layers."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.layers import multilayer
from toolkit.models.network import Features, Network, networks, row


@networks.add("mlp")
class MultilayerPerceptron(Network):
    """Features side by side, then Linear, ReLU and Dropout for each layer (MER2023 baseline: 256 and 128 wide).

    A modality that a clip lacks is replaced by a vector that is learnt, one per modality, zero at the start (the mean
    of standardised features).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of the last layer; the first is twice as wide
        dropout: probability, after each layer
    """

    stacks = True

    def __init__(self, inputs: Mapping[str, int], classes: int, *, hidden: int = 128, dropout: float = 0.3) -> None:
        super().__init__(inputs, classes, hidden)
        self.missing = nn.ParameterList(torch.zeros(dim) for dim in self.inputs.values())
        self.layers = multilayer(sum(self.inputs.values()), (2 * hidden, hidden), dropout)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the output of the last layer, ``(batch, hidden)``."""
        columns = []
        for key, missing in zip(self.inputs, self.missing, strict=True):
            instead = row(missing)  # (1, D)
            columns.append(torch.where(present[key][..., None], features.get(key, instead), instead))
        return self.layers(torch.cat(columns, dim=-1))

"""Late fusion by a plain deep network: the modalities' encodings side by side."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import RectifiedLinear
from toolkit.models.network import Features, Network, networks


@networks.add("lf_dnn")
class LateFusion(Network):
    """One encoder per modality, the encoded side by side, dropout, then twice Linear and ReLU.

    Cambria, Hazarika, Poria, Bisio and Subramanyam, Benchmarking Multimodal Sentiment Analysis, CICLing 2017, arXiv
    1707.09538, in the form of MERTools (MER2024, ``lf_dnn.py``). A modality that a clip lacks is encoded as zeros.
    The reference's frame encoder depends on how much a clip was padded, ours does not (`SequenceEncoder`).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of all layers
        dropout: probability, on the input of each encoder (of frames, on its last state) and on the encoded
        frames: reads `Sequences` through an LSTM in place of ``(batch, dim)`` vectors
    """

    levels = ("utterance", "frame")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.3,
        frames: bool = False,
    ) -> None:
        super().__init__(inputs, classes, hidden)
        self.stacks = not frames
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.dropout = Dropout(dropout)
        self.linear = nn.ModuleList(RectifiedLinear(dim, hidden) for dim in (len(self.inputs) * hidden, hidden))

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the output of the last layer, ``(batch, hidden)``, nowhere negative."""
        hidden = self.dropout(torch.cat(encode(self.encoders, features, present), dim=-1))
        for linear in self.linear:
            hidden = linear(hidden)
        return hidden

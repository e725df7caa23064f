"""Tensor fusion: every product of one number of each modality."""

from bisect import bisect_right
from collections.abc import Mapping

from torch import Tensor, nn

from toolkit.memory import usable_memory
from toolkit.models.dropout import Dropout
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import RectifiedLinear
from toolkit.models.network import Features, Network, networks

TRAINING_BYTES = 16  # of each weight: itself, its gradient and Adam's two moments, in float32


@networks.add("tfn")
class TensorFusion(Network):
    """The outer product of the encoded modalities, a 1 before each, then dropout and twice Linear and ReLU.

    Zadeh, Chen, Poria, Cambria and Morency, Tensor Fusion Network for Multimodal Sentiment Analysis, EMNLP 2017, arXiv
    1707.07250, in the form of MERTools (MER2024, ``tfn.py``). Thanks to the 1 the products of any fewer modalities are
    among the ``(hidden + 1) ** modalities`` numbers, and all of them are left of a clip that lacks one. Any number of
    modalities; the last one by name varies fastest.

    The reference's frame encoder depends on how much a clip was padded, ours does not (`SequenceEncoder`). The first
    layer after the fusion has ``(hidden + 1) ** modalities * hidden`` weights: 275 million for three and a hidden size
    of 128, the larger of the two in MERTools' search space, on which the reference is silent.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of all layers
        dropout: probability, on the input of each encoder (of frames, on its last state) and on the products
        frames: reads `Sequences` through an LSTM in place of ``(batch, dim)`` vectors

    Raises:
        ValueError: the first layer after the fusion cannot be trained in this machine's memory
    """

    levels = ("utterance", "frame")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 64,
        dropout: float = 0.3,
        frames: bool = False,
    ) -> None:
        super().__init__(inputs, classes, hidden)
        _check_memory(hidden, len(inputs))
        self.stacks = not frames
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.dropout = Dropout(dropout)
        self.linear = nn.ModuleList(RectifiedLinear(dim, hidden) for dim in ((hidden + 1) ** len(inputs), hidden))

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the output of the last layer, ``(batch, hidden)``, nowhere negative."""
        first, *others = (
            nn.functional.pad(part, (1, 0), value=1.0) for part in encode(self.encoders, features, present)
        )
        products = first  # (B, 1 + H)
        for other in others:
            products = (products[..., None] * other[..., None, :]).flatten(-2)  # (B, (1 + H) ** modalities so far)
        hidden = self.dropout(products)
        for linear in self.linear:
            hidden = linear(hidden)
        return hidden


def _check_memory(hidden: int, modalities: int) -> None:
    """Refuses a first layer after the fusion that cannot be trained in this machine's memory."""

    def needed(hidden: int, modalities: int) -> int:
        return (hidden + 1) ** modalities * hidden * TRAINING_BYTES

    there = usable_memory()
    if needed(hidden, modalities) <= there:
        return
    narrowest = bisect_right(range(hidden), there, key=lambda width: needed(width, modalities)) - 1
    fewest = bisect_right(range(modalities), there, key=lambda count: needed(hidden, count)) - 1
    fitting = [f"hidden {narrowest}"] * (narrowest > 0) + [f"{fewest} of the {modalities} modalities"] * (fewest > 0)
    raise ValueError(
        f"{modalities} modalities and hidden {hidden} give {(hidden + 1) ** modalities:,} products, whose layer takes "
        f"{needed(hidden, modalities) / 2**30:,.1f} GiB to train, of {there / 2**30:,.1f} GiB of memory. "
        f"What fits: {' or '.join(fitting) or 'neither fewer modalities nor a smaller hidden size; use lmf'}"
    )

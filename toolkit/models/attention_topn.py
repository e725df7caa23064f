"""The attention fusion of the best few encoders per modality."""

from collections.abc import Mapping

from toolkit.models.attention import Attention
from toolkit.models.network import networks


@networks.add("attention_topn")
class AttentionTopN(Attention):
    """`Attention` over any number of utterance vectors, each encoder's features an input of its own.

    The reference (MERTools, MER2024 ``attention_topn.py``) writes the network of ``attention.py`` out once more for a
    list of up to 18 features, the best 1 to 6 of each modality, and without sequences. Ours takes any number under any
    names in either, so this is that network under the reference's second name.

    Args:
        inputs: feature dimension of each input
        classes: number of emotion logits
        hidden: width of all layers
        dropout: probability, on the input of each encoder and of the layers that make the scores
    """

    levels = ("utterance",)

    def __init__(self, inputs: Mapping[str, int], classes: int, *, hidden: int = 128, dropout: float = 0.3) -> None:
        super().__init__(inputs, classes, hidden=hidden, dropout=dropout)

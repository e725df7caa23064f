"""Multimodal fusion by mutual information (MMIM)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.dropout import Dropout
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.losses import contrastive_prediction, gaussian_information, loss_wanted
from toolkit.models.network import Features, Fused, Network, anchored, networks


@networks.add("mmim")
class MultimodalInfoMax(Network):
    """Encoded modalities side by side into two layers, trained to keep the information that they have in common.

    Han, Chen and Poria, Improving Multimodal Fusion with Hierarchical Mutual Information Maximization for Multimodal
    Sentiment Analysis, EMNLP 2021, arXiv 2109.00412, in the form of MERTools (MER2024, ``mmim.py``). Its own loss has
    two terms: each modality should be predicted by what is fused (`contrastive_prediction`, summed over the
    modalities), and the anchor, text in the paper, should tell much about each other modality
    (`gaussian_information`, summed over these). As in the reference there is no estimate of the entropy, whose layers
    it makes and never uses, and one optimiser for all.

    A modality that a clip lacks is encoded as zeros and is in none of the terms. With a single modality only the first
    term is left. The reference is NaN from the first clip on whose encoding is all zeros; ours is not. Its frame
    encoder depends on how much a clip was padded, ours does not (`SequenceEncoder`).

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of all layers
        dropout: probability, on the input of each encoder (of frames, on its last state) and of the fusion
        contrast_weight: of the predictions' loss (MERTools' alpha)
        information_weight: of the bound of the mutual information (MERTools' beta)
        prediction_layers: number of layers that predict a modality, the first of several followed by a tanh
        anchor: modality that the others are related to, by default as of `toolkit.models.network.anchored`
        frames: reads `Sequences` through an LSTM in place of ``(batch, dim)`` vectors
    """

    levels = ("utterance", "frame")
    scalars = ("dropout", "contrast_weight", "information_weight")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.3,
        contrast_weight: float = 0.1,
        information_weight: float = 0.1,
        prediction_layers: int = 1,
        anchor: str | None = None,
        frames: bool = False,
    ) -> None:
        super().__init__(inputs, classes, hidden)
        if prediction_layers < 1:
            raise ValueError(f"{prediction_layers} layers that predict a modality, expected 1 or more")
        self.stacks = not frames
        self.anchor = anchored(self.inputs, anchor)
        self.others = [key for key in self.inputs if key != self.anchor]
        self.encoders = encoders(self.inputs.values(), hidden, dropout, frames=frames)
        self.dropout = Dropout(dropout)
        self.fusion = nn.ModuleList(Linear(dim, hidden) for dim in (len(self.inputs) * hidden, hidden))
        self.predictors = nn.ModuleList(_predictor(hidden, prediction_layers) for _ in self.inputs)
        self.means = nn.ModuleList(_two_layers(hidden) for _ in self.others)
        self.log_variances = nn.ModuleList(_two_layers(hidden) for _ in self.others)
        self.register_buffer("contrast_weight", torch.tensor(float(contrast_weight)), persistent=False)
        self.register_buffer("information_weight", torch.tensor(float(information_weight)), persistent=False)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor | Fused:
        """Returns the last layer's output, ``(batch, hidden)`` between -1 and 1, with the losses if `loss_wanted`."""
        encoded = dict(zip(present, encode(self.encoders, features, present), strict=True))
        fused = self.dropout(torch.cat(list(encoded.values()), dim=-1))
        for linear in self.fusion:
            fused = linear(fused).tanh()
        return Fused(fused, self._loss(fused, encoded, present)) if loss_wanted() else fused

    def _loss(self, fused: Tensor, encoded: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Returns the weighted sum of the two losses, ``()``."""
        predicted = torch.stack([predictor(fused) for predictor in self.predictors])  # (M, B, H)
        masks = torch.stack(list(present.values()))
        contrast = contrastive_prediction(torch.stack(list(encoded.values())), predicted, masks).sum(dim=0)
        loss = self.contrast_weight * contrast
        if self.others:
            loss = loss - self.information_weight * self._information(encoded, present)
        return loss

    def _information(self, encoded: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Returns the bounds of the mutual information between the anchor and each other modality, summed, ``()``."""
        anchor = encoded[self.anchor]
        means = torch.stack([mean(anchor) for mean in self.means])  # (M - 1, B, H)
        log_variances = torch.stack([log_variance(anchor) for log_variance in self.log_variances])
        values = torch.stack([encoded[key] for key in self.others])
        masks = torch.stack([present[key] & present[self.anchor] for key in self.others])
        return gaussian_information(means, log_variances, values, masks).sum(dim=0)


def _two_layers(hidden: int) -> nn.Sequential:
    return nn.Sequential(Linear(hidden, hidden), nn.ReLU(), Linear(hidden, hidden))


def _predictor(hidden: int, layers: int) -> nn.Module:
    """Returns one Linear, or several of which the first is followed by a tanh."""
    first, *others = [Linear(hidden, hidden) for _ in range(layers)]
    return nn.Sequential(first, nn.Tanh(), *others) if others else first

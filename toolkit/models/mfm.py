"""The multimodal factorization model (MFM)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from toolkit.models.aligned import frame_counts
from toolkit.models.gated_memory import two_layers
from toolkit.models.layers import encode, encoders
from toolkit.models.linear import Linear
from toolkit.models.losses import loss_wanted, maximum_mean_discrepancy, squared_error
from toolkit.models.memory_fusion import MemoryFusion
from toolkit.models.network import Features, Fused, Network, networks
from toolkit.models.parallel_decoder import ParallelDecoder

POINTS = 256  # of the normal distribution that the latent variables are to follow


@networks.add("mfm")
class MultimodalFactorization(Network):
    """One factor for the label, from all modalities, and one per modality for the rest; together they restore it.

    Tsai, Liang, Zadeh, Morency and Salakhutdinov, Learning Factorized Multimodal Representations, ICLR 2019, arXiv
    1806.06176, in the form of MERTools (MER2024, ``mfm.py``): a memory fusion network (`MemoryFusion`) gives the joint
    latent variable and an LSTM per modality (`SequenceEncoder`) its own; two layers make each a factor; LSTMs write
    the frames of a modality from its factor and that of the label; two more layers read the latter. Its own loss: all
    latent variables should be normally distributed (`maximum_mean_discrepancy`, summed), the frames be restored.

    The reference measures against normal numbers drawn anew at each call, as many as the batch has clips, in
    evaluation as well. Here it is one larger sample, drawn once from a generator of its own and the same for every
    network, seed and device, so nothing depends on chance and the loss less on the batch. The reference pads in front
    without a mask and restores the padding too; here states are those after the last real frame, and only real frames
    are restored. A modality that a clip lacks is in neither loss, and a cell at rest in the memory fusion network,
    whose layers to the label, unused in the reference, are left out.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: size of every LSTM and latent variable; factors and the fused representation are half as wide
        memory: size of the memory
        dropout: probability, on all inner layers
        normality_weight: of the latent variables' discrepancy (MERTools' lda_mmd)
        restoration_weight: of the error of the restored frames (MERTools' lda_x), one for all or by modality
    """

    levels = ("aligned",)
    scalars = ("dropout", "normality_weight", "restoration_weight")

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        memory: int = 128,
        dropout: float = 0.3,
        normality_weight: float = 10.0,
        restoration_weight: float | Mapping[str, float] = 0.1,
    ) -> None:
        width = hidden // 2
        super().__init__(inputs, classes, width)
        count = len(self.inputs)
        self.fusion = MemoryFusion(self.inputs.values(), hidden, memory, dropout)
        self.joint = Linear(self.fusion.width, hidden)
        self.encoders = encoders(self.inputs.values(), hidden, 0.0, frames=True)
        self.factors = nn.ModuleList(two_layers(hidden, width, width, dropout) for _ in range(1 + count))
        self.decoder = ParallelDecoder(self.inputs.values(), 2 * width)
        self.output = two_layers(width, width, width, dropout)
        sample = torch.randn(1 + count, POINTS, hidden, generator=torch.Generator().manual_seed(0))
        self.register_buffer("sample", sample, persistent=False)
        self.register_buffer("normality_weight", torch.tensor(float(normality_weight)), persistent=False)
        weights = torch.tensor(_by_modality(self.inputs, restoration_weight))
        self.register_buffer("restoration_weights", weights, persistent=False)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor | Fused:
        """Returns what is made of the label's factor, ``(batch, hidden // 2)``, and the losses if `loss_wanted`."""
        joint = self.joint(self.fusion(features, present))
        label = self.factors[0](joint).relu()
        loss = self._loss(joint, label, features, present) if loss_wanted() else None
        hidden = self.output(label)
        return hidden if loss is None else Fused(hidden, loss)

    def _loss(self, joint: Tensor, label: Tensor, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the weighted sum of the losses, ``()``.

        Args:
            joint: ``(batch, hidden)`` latent variable of all modalities
            label: ``(batch, hidden // 2)`` factor made of it
            features: aligned `toolkit.models.network.Sequences` by modality
            present: ``(batch,)`` boolean by modality
        """
        latent = encode(self.encoders, features, present)  # each (B, H)
        masks = torch.stack([frame_counts(features, present) > 0, *present.values()])
        normality = maximum_mean_discrepancy(torch.stack([joint, *latent]), self.sample, masks).sum()
        others = [factor(values).relu() for factor, values in zip(self.factors[1:], latent, strict=True)]
        return self.normality_weight * normality + self._restoration(label, others, features, present)

    def _restoration(
        self, label: Tensor, others: Sequence[Tensor], features: Features, present: Mapping[str, Tensor]
    ) -> Tensor:
        """Returns the weighted errors of the restored frames, ``()``; ``others`` are the factors of the modalities."""
        codes = torch.stack([torch.cat([label, other], dim=-1) for other in others])  # (M, B, 2 * W)
        count = next(iter(features.values())).values.shape[1]
        written = dict(zip(self.inputs, self.decoder(codes, count), strict=True))
        loss = label.new_zeros(())
        for key, weight in zip(self.inputs, self.restoration_weights, strict=True):
            if key in features:
                mask = features[key].mask & present[key][:, None]  # (B, T)
                restored, frames = written[key].flatten(0, 1), features[key].values.flatten(0, 1)
                loss = loss + weight * squared_error(restored, frames, mask.flatten())
        return loss


def _by_modality(inputs: Mapping[str, int], weight: float | Mapping[str, float]) -> list[float]:
    """Returns one weight per modality.

    Raises:
        ValueError: the weights are not those of the inputs
    """
    if not isinstance(weight, Mapping):
        return [float(weight)] * len(inputs)
    if set(weight) != set(inputs):
        raise ValueError(f"weights of {sorted(weight)}, expected one number for all, or one for each of {list(inputs)}")
    return [float(weight[key]) for key in inputs]

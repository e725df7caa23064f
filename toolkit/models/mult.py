"""The Multimodal Transformer: every modality reads every other over time."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from toolkit.models.cross_modal import CrossModalTransformer
from toolkit.models.dropout import Dropout
from toolkit.models.linear import Linear
from toolkit.models.network import Features, Network, Sequences, networks

MEMORY_LAYERS = 3  # at least so many in each memory transformer (MERTools)


class FrameProjection(nn.Module):
    """A convolution over time without bias and without padding, ``kernel - 1`` frames shorter than what it reads.

    A clip shorter than the kernel gets as many zeros in front as make it one frame; the reference fails there.

    Args:
        dim: input dimension
        hidden: output dimension
        kernel: frames that one output frame is made of
    """

    def __init__(self, dim: int, hidden: int, kernel: int) -> None:
        super().__init__()
        if kernel < 1:
            raise ValueError(f"a kernel of {kernel} frames, expected 1 or more")
        self.kernel = kernel
        self.convolution = nn.Conv1d(dim, hidden, kernel, bias=False)

    def forward(self, sequences: Sequences) -> Sequences:
        """Maps ``(batch, time, dim)`` to ``(batch, time - kernel + 1, hidden)``, at least one frame wherever there is
        one.
        """
        values, lengths = sequences
        padded = nn.functional.pad(values.mT, (self.kernel - 1, 0))  # (B, dim, kernel - 1 + T)
        projected = self.convolution(padded).mT  # (B, T, hidden), frame t made of the kernel's frames up to t
        steps = max(1, values.shape[1] - self.kernel + 1)
        first = (lengths - 1).clamp(0, self.kernel - 1)  # the first that is made of real frames alone, if any is
        index = (first[:, None] + torch.arange(steps, device=lengths.device)).clamp(max=values.shape[1] - 1)
        projected = projected.gather(1, index[..., None].expand(-1, -1, projected.shape[2]))
        return Sequences(projected, lengths - first)


@networks.add("mult")
class MultimodalTransformer(Network):
    """Convolutions to one width, a cross-modal transformer for every ordered pair, a memory transformer for every
    modality over all that it has read, their last frames side by side through a residual block (Tsai, Bai, Liang,
    Kolter, Morency, Salakhutdinov, "Multimodal Transformer for Unaligned Multimodal Language Sequences", ACL 2019,
    arXiv:1906.00295).

    The reference (MERTools, MER2024 ``mult.py``) reads the last frame of sequences that are padded in front, attends
    to the padding, and hides the future by the padded lengths. Here every clip gives what the reference gives for that
    clip alone and unpadded. A modality that a clip lacks gives zeros and is read by nobody: where the other one of a
    pair is missing, the attention adds nothing. With one modality there are no pairs, and the memory transformer reads
    the convolution.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        hidden: width of a pair; the fused representation is half as wide
        dropout: probability, everywhere in the transformers and in the residual block
        layers: of a pair's transformer; a memory has at least 3
        heads: of the attention, a divisor of ``hidden``
        kernel: frames that the convolutions see at once
    """

    levels = ("frame",)

    def __init__(
        self,
        inputs: Mapping[str, int],
        classes: int,
        *,
        hidden: int = 128,
        dropout: float = 0.2,
        layers: int = 4,
        heads: int = 8,
        kernel: int = 3,
    ) -> None:
        super().__init__(inputs, classes, hidden // 2)
        count = len(self.inputs)
        memory, deep = max(1, count - 1) * hidden, max(MEMORY_LAYERS, layers)
        self.projections = nn.ModuleList(FrameProjection(dim, hidden, kernel) for dim in self.inputs.values())
        self.pairs = nn.ModuleList(  # by target, then by source
            nn.ModuleList(CrossModalTransformer(hidden, heads, layers, dropout) for _ in range(count - 1))
            for _ in range(count)
        )
        self.memories = nn.ModuleList(CrossModalTransformer(memory, heads, deep, dropout) for _ in range(count))
        self.first, self.second = (Linear(count * memory, count * memory) for _ in range(2))
        self.dropout, self.output = Dropout(dropout), Linear(count * memory, hidden // 2)

    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns ``(batch, hidden // 2)``."""
        frames = self._project(features, present)
        ends = []
        for number, (target, pairs, memory) in enumerate(zip(frames, self.pairs, self.memories, strict=True)):
            others = frames[:number] + frames[number + 1 :]
            read = [pair(target, source) for pair, source in zip(pairs, others, strict=True)] or [target.values]
            remembered = memory(Sequences(torch.cat(read, dim=2), target.lengths))
            ends.append(_last(Sequences(remembered, target.lengths)))
        side = torch.cat(ends, dim=1)
        return self.output(side + self.second(self.dropout(self.first(side).relu())))

    def _project(self, features: Features, present: Mapping[str, Tensor]) -> list[Sequences]:
        """Returns the frames of each modality, ``(batch, time, hidden)``, of length 0 where a clip lacks it."""
        frames = []
        for (key, mask), projection in zip(present.items(), self.projections, strict=True):
            empty = self.output.weight.new_zeros(len(mask), 1, self.inputs[key])
            nothing = Sequences(empty, torch.zeros_like(mask, dtype=torch.int64))
            values, lengths = features.get(key, nothing)
            frames.append(projection(Sequences(values, torch.where(mask, lengths, 0))))
        return frames


def _last(sequences: Sequences) -> Tensor:
    """Returns the last real frame of each clip, ``(batch, dim)``, zeros where it has none."""
    values, lengths = sequences
    ends = values[torch.arange(len(values), device=values.device), (lengths - 1).clamp(min=0)]
    return torch.where(lengths[:, None] > 0, ends, torch.zeros_like(ends))

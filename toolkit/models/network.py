"""What a network is: features of any subset of modalities in, one named tuple out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from toolkit.errors import UserError
from toolkit.models.linear import Linear
from toolkit.registry import Registry


class NetworkOutput(NamedTuple):
    """What every network returns.

    Attributes:
        features: ``(batch, hidden)`` the fused representation
        emotion_logits: ``(batch, classes)`` before softmax, or sigmoid where several words may hold
        valence: ``(batch,)`` in whatever unit the network was trained on
        auxiliary_loss: ``()`` the network's own loss term, zero where it has none
    """

    features: Tensor
    emotion_logits: Tensor
    valence: Tensor
    auxiliary_loss: Tensor


class Sequences(NamedTuple):
    """Frame-level features of one modality, padded at the end.

    Attributes:
        values: ``(batch, time, dim)``
        lengths: ``(batch,)`` number of real frames
    """

    values: Tensor
    lengths: Tensor

    @property
    def mask(self) -> Tensor:
        """``(batch, time)``, true where a frame is real."""
        steps = torch.arange(self.values.shape[1], device=self.values.device)
        return steps < self.lengths[:, None]


class Fused(NamedTuple):
    """What a network with a loss of its own fuses to.

    Attributes:
        hidden: ``(batch, width)``
        auxiliary_loss: ``()``
    """

    hidden: Tensor
    auxiliary_loss: Tensor


Features = Mapping[str, Tensor | Sequences]


class Network(nn.Module, ABC):
    """A fusion network with one head for emotions and one for valence.

    Modalities are iterated sorted by name (`anchored` for networks in which one of them is special). A modality may be
    missing for the whole batch (its key is absent from ``features``) or for some clips (``present`` is false there);
    what stands in ``features`` for such a clip must be finite and is not looked at. A clip
    without any modality changes nothing for the others, nor the auxiliary loss.

    Many networks of one class can train as one (`toolkit.models.stack`): every weight then has an axis of models in
    front, and so has every feature. A class that says ``stacks = True`` is written for both: it computes on the last
    axes only (``dim=-1``, ``[..., None]``), its layers are those of `toolkit.models.layers`, and a weight of its own
    broadcasts over the batch through `row`.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        width: size of the fused representation that the heads read

    Attributes:
        stacks: whether many can train as one
        levels: what it reads: ``utterance`` vectors, ``frame`` sequences of any lengths, or ``aligned`` ones that have
            a time axis in common; one that reads both vectors and sequences is told by its option ``frames``
        scalars: options that change numbers and no shapes, such as ``dropout``
    """

    stacks: ClassVar[bool] = False
    levels: ClassVar[tuple[str, ...]] = ("utterance",)
    scalars: ClassVar[tuple[str, ...]] = ("dropout",)

    def __init__(self, inputs: Mapping[str, int], classes: int, width: int) -> None:
        super().__init__()
        if not inputs:
            raise ValueError("a network needs at least one modality")
        if width < 1:
            raise ValueError(f"the layers are {width} wide, expected 1 or more")
        self.inputs = {key: inputs[key] for key in sorted(inputs)}
        self.emotion_head = Linear(width, classes)
        self.valence_head = Linear(width, 1)

    @abstractmethod
    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor | Fused:
        """Returns the fused representation, with the network's own loss where it has one.

        Args:
            features: ``(batch, dim)`` tensors, or `Sequences` where the network was built for them
            present: ``(batch,)`` boolean for every modality the network was built with, false where it is not in
                ``features``

        Returns:
            ``(batch, width)``
        """

    def forward(self, features: Features, present: Mapping[str, Tensor] | None = None) -> NetworkOutput:
        """Returns the outputs for one batch.

        Args:
            features: by modality, any non-empty subset of those the network was built with
            present: ``(batch,)`` boolean by modality, true where the clip has it; all true where a key is absent
        """
        unknown = sorted(set(features) - set(self.inputs))
        if unknown or not features:
            raise ValueError(f"expected a non-empty subset of {list(self.inputs)}, got {sorted(features)}")
        known = present or {}
        first = next(iter(features.values()))
        first = first.values[..., 0] if isinstance(first, Sequences) else first
        everywhere = torch.ones(first.shape[:-1], dtype=torch.bool, device=first.device)
        masks = {key: known.get(key, everywhere) if key in features else ~everywhere for key in self.inputs}
        fused = self.fuse(features, masks)
        hidden, loss = fused if isinstance(fused, Fused) else (fused, fused.new_zeros(fused.shape[:-2]))
        return NetworkOutput(hidden, self.emotion_head(hidden), self.valence_head(hidden).squeeze(-1), loss)


def row(weight: Tensor) -> Tensor:
    """Returns a weight ``(..., n)`` as ``(..., 1, n)``, which broadcasts over the batch, in a stack as well."""
    return weight.unsqueeze(-2)


def anchored(inputs: Mapping[str, int], anchor: str | None) -> str:
    """Returns the modality that the others are related to, by default ``text``, or the first where there is none.

    Raises:
        ValueError: the anchor named is not among the inputs
    """
    if anchor is not None and anchor not in inputs:
        raise ValueError(f"the anchor '{anchor}' is none of the inputs {sorted(inputs)}")
    return anchor or ("text" if "text" in inputs else min(inputs))


networks: Registry[type[Network]] = Registry("network", "toolkit.models")


def build_network(name: str, inputs: Mapping[str, int], classes: int, **options: Any) -> Network:
    """Returns a freshly initialised network.

    Args:
        name: registered name
        inputs: feature dimension of each modality
        classes: number of emotion logits
        options: the network's own, such as ``hidden`` and ``dropout``

    Raises:
        UserError: unknown name or option, or a value that the network cannot be built with
    """
    network = networks.get(name)
    try:
        return network(inputs, classes, **options)
    except (TypeError, ValueError, RuntimeError) as error:  # torch's own checks of sizes and probabilities
        raise UserError(f"Network '{name}' cannot be built with {options}: {error}") from error

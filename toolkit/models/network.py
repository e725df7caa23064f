"""What a network is: features of any subset of modalities in, one named tuple out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from toolkit.errors import UserError
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


Features = Mapping[str, Tensor | Sequences]


class Network(nn.Module, ABC):
    """A fusion network with one head for emotions and one for valence.

    Modalities are iterated sorted by name. A modality may be missing for the whole batch (its key is absent from
    ``features``) or for some clips (``present`` is false there); what stands in ``features`` for such a clip must be
    finite and is not looked at.

    Args:
        inputs: feature dimension of each modality
        classes: number of emotion logits
        width: size of the fused representation that the heads read
    """

    def __init__(self, inputs: Mapping[str, int], classes: int, width: int) -> None:
        super().__init__()
        if not inputs:
            raise ValueError("a network needs at least one modality")
        if width < 1:
            raise ValueError(f"the layers are {width} wide, expected 1 or more")
        self.inputs = {key: inputs[key] for key in sorted(inputs)}
        self.emotion_head = nn.Linear(width, classes)
        self.valence_head = nn.Linear(width, 1)

    @abstractmethod
    def fuse(self, features: Features, present: Mapping[str, Tensor]) -> Tensor:
        """Returns the fused representation.

        Args:
            features: ``(batch, dim)`` tensors, or `Sequences` where the network was built for them
            present: ``(batch,)`` boolean for every modality the network was built with

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
        first = first.values if isinstance(first, Sequences) else first
        everywhere = torch.ones(len(first), dtype=torch.bool, device=first.device)
        nowhere = ~everywhere
        masks = {key: known.get(key, everywhere) if key in features else nowhere for key in self.inputs}
        hidden = self.fuse(features, masks)  # (B, H)
        return NetworkOutput(
            hidden, self.emotion_head(hidden), self.valence_head(hidden).squeeze(-1), hidden.new_zeros(())
        )


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

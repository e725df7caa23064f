"""What a masked autoencoder is: a network for pretraining, one for fine-tuning, and its published sizes."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from toolkit.models.transformer.masks import Shuffler
from toolkit.registry import Registry


class Reconstruction(NamedTuple):
    """What a network makes of clips of which it sees little.

    Attributes:
        loss: ``()`` what pretraining lowers
        parts: ``()`` each, the terms of the loss by name, not weighted
        predictions: by stream, ``(batch, masked, numbers)``, the hidden tokens in their order
        targets: by stream, what the predictions should be
    """

    loss: Tensor
    parts: Mapping[str, Tensor]
    predictions: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]


class Encoded(NamedTuple):
    """What a network makes of whole clips.

    Attributes:
        features: ``(batch, width)`` what the last layer reads
        logits: ``(batch, outputs)`` after the activation, if the network has one; without outputs ``(batch, 0)``
    """

    features: Tensor
    logits: Tensor


class Pretraining(nn.Module, ABC):
    """A network that rebuilds what is hidden from it; its tensors have the authors' names.

    Inputs are mappings from streams to tensors: ``video`` is ``(batch, 3, frames, size, size)``, normalised with
    ImageNet's mean and deviation, and ``audio`` is ``(batch, 1, time, mel)``. A mask has a boolean for each token of
    a stream, ``(batch, tokens)``, true where hidden, as many in every clip.
    """

    @abstractmethod
    def draw_masks(self, batch: int, chance: Shuffler) -> Mapping[str, Tensor]:
        """Returns random masks by stream, on the CPU (where `forward` takes them without waiting for a GPU)."""

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Reconstruction:
        """Rebuilds the hidden tokens of a batch."""

    @abstractmethod
    def rebuilt(
        self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor], predictions: Mapping[str, Tensor]
    ) -> Mapping[str, Tensor]:
        """Returns the inputs with their hidden parts as predicted, to look at: ``video`` as pixels in [0, 1]."""

    def decays(self, name: str, parameter: Tensor) -> bool:
        """Whether weight decay acts on a parameter: not on biases and vectors, nor on the mask tokens."""
        return parameter.dim() > 1 and not name.startswith("mask_token")


class FineTuning(nn.Module, ABC):
    """A network that reads whole clips; its tensors have the authors' names.

    Attributes:
        top_layer: number of the last layer for the decay of learning rates, whose factor is
            ``decay ** (top_layer - layer_of(name))``
    """

    undecayed: ClassVar[frozenset[str]] = frozenset()
    top_layer: int

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encodes a batch; inputs as in `Pretraining`."""

    @abstractmethod
    def over_time(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Returns features ``(batch, steps, width)``, means over what is seen at each step of time, normalised."""

    def layer_of(self, name: str) -> int:
        """Returns the layer of a parameter: 0 for tokenizers, 1 for the first block, `top_layer` for all others."""
        if "patch_embed." in name:
            return 0
        block = re.match(r"blocks\.(\d+)\.", name)
        return int(block[1]) + 1 if block else self.top_layer

    def decays(self, name: str, parameter: Tensor) -> bool:
        """Whether weight decay acts on a parameter: not on biases and vectors, nor on learned tokens."""
        return parameter.dim() > 1 and name not in self.undecayed


class Family(ABC):
    """A kind of masked autoencoder, never instantiated; `autoencoders` has them by name.

    A network is built as ``family.pretraining(size, **options)`` and ``family.fine_tuning(size, outputs, **options)``,
    the size being one of `sizes`, whose ``shape`` is that of the clips; every fine-tuning network takes ``drop_path``.
    """

    streams: ClassVar[tuple[str, ...]] = ("video",)
    sizes: ClassVar[Mapping[str, Any]]
    pretraining: ClassVar[type[Pretraining]]
    fine_tuning: ClassVar[type[FineTuning]]

    @classmethod
    @abstractmethod
    def size_of(cls, state: Mapping[str, Tensor]) -> Any:
        """Returns the size of the network whose tensors these are, of either form.

        What the shapes do not say is taken from the base size; heads have 64 numbers (`transformer.state`).

        Raises:
            UserError: the tensors are not of this family
        """

    @classmethod
    def for_fine_tuning(cls, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns tensors of pretraining by the names that they have in fine-tuning, the others as they are."""
        return {name.removeprefix("backbone.").removeprefix("encoder."): tensor for name, tensor in state.items()}


autoencoders: Registry[type[Family]] = Registry("masked autoencoder", "toolkit.models")

"""What the face networks share: pixels on the device, and weights by the authors' key names."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feature_extraction.checkpoint import load_into, read_state, seeded, weights_file
from feature_extraction.visual.picture_encoder import PictureEncoder

if TYPE_CHECKING:
    import torch

COUNTER = "num_batches_tracked"  # files older than torch 0.4.1 have none, and features do not depend on it

# What trainers save beside the weights: options, and a record of losses, whose class MA-Net's authors wrote themselves.
IGNORED = (
    "argparse.Namespace",
    "__main__.RecorderMeter",
    "numpy.ndarray",
    "numpy.dtype",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
)


class Ignored:
    """Stands in for a class of ``IGNORED`` while a checkpoint is read; its content is not looked at."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


class FaceNetworkEncoder(PictureEncoder):
    """A convolutional network that was trained on faces, or on things, by others.

    ``capacity`` is chosen so that the largest intermediate tensor of a batch on a processor stays under 32 MB: from
    there on the C library asks the system for fresh memory with every layer, which was measured to cost a quarter of
    the time and more.

    Attributes:
        mean: of each colour channel, which is taken off pixels in [0, 255]
        deviation: what they are divided by then
        classifier: beginnings of the names of layers that come after the features
    """

    mean: ClassVar[tuple[float, float, float]] = (0.0, 0.0, 0.0)
    deviation: ClassVar[tuple[float, float, float]] = (255.0, 255.0, 255.0)
    classifier: ClassVar[tuple[str, ...]]

    @abstractmethod
    def architecture(self) -> "torch.nn.Module":
        """Returns the network of the spec with random weights."""

    def build(self) -> "torch.nn.Module":
        """Returns the network with its weights.

        Raises:
            UserError: there is no checkpoint, or it is of another network
        """
        if self.spec.is_tiny:
            with seeded():
                return _enlivened(self.architecture())
        path = weights_file(self.spec)
        state = read_state(path, [(Ignored, name) for name in IGNORED])
        network = self.architecture()
        load_trunk(network, state, path, self.classifier)
        return network

    def place(self, network: "torch.nn.Module") -> "torch.nn.Module":
        """Returns the network on the device, colours last in memory, which was measured to be 10 to 30 % faster."""
        import torch

        return super().place(network).to(memory_format=torch.channels_last)

    def rows(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns the features ``(N, D)`` of pixels ``(N, height, width, 3)`` uint8."""
        return self.network(self.normalised(pictures).to(self.dtype))

    def normalised(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns pixels ``(N, height, width, 3)`` uint8 as ``(N, 3, height, width)`` float32 in the network's unit."""
        import torch

        mean, deviation = (torch.tensor(colours, device=pictures.device) for colours in (self.mean, self.deviation))
        return ((pictures - mean) / deviation).permute(0, 3, 1, 2)


def _enlivened(network: "torch.nn.Module") -> "torch.nn.Module":
    """Returns a random network after making its convolutions larger, so that pictures differ in the features."""
    import torch

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data *= 1.5
    return network


def load_trunk(
    network: "torch.nn.Module", state: "dict[str, torch.Tensor]", path: Path, classifier: Sequence[str]
) -> None:
    """Puts a checkpoint into a network, all of it but what features do not depend on.

    The classifier may be one for other classes, or absent; every other name and shape must be the network's.

    Args:
        network: what is filled
        state: tensors of the checkpoint by name
        path: its file, for messages
        classifier: beginnings of the names of the classifier's layers

    Raises:
        UserError: it is of another network
    """

    def is_idle(name: str) -> bool:
        return name.startswith(tuple(classifier)) or name.endswith(COUNTER)

    own = {name: tensor for name, tensor in network.state_dict().items() if is_idle(name)}
    load_into(network, {name: tensor for name, tensor in state.items() if not is_idle(name)} | own, path)


def squeezed(crop: np.ndarray, size: int) -> np.ndarray:
    """Returns a picture ``(height, width, 3)`` uint8 as a square of the size, as Pillow resizes it bilinearly."""
    from PIL import Image

    return np.asarray(Image.fromarray(crop).resize((size, size), Image.Resampling.BILINEAR))

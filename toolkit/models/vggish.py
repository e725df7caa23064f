"""VGGish: convolutions over log-mel spectrograms, trained on the sound of eight million videos."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from toolkit.errors import UserError

FRAMES, BANDS = 96, 64  # of one example
_STAGES = ((1,), (2,), (4, 4), (8, 8))  # channels of the convolutions before each pooling, in units of the first

# Names in the released TensorFlow checkpoint, and here, without "weights", "biases", "weight", "bias".
_NAMES = {
    "vggish/conv1": "features.0",
    "vggish/conv2": "features.3",
    "vggish/conv3/conv3_1": "features.6",
    "vggish/conv3/conv3_2": "features.8",
    "vggish/conv4/conv4_1": "features.11",
    "vggish/conv4/conv4_2": "features.13",
    "vggish/fc1/fc1_1": "embeddings.0",
    "vggish/fc1/fc1_2": "embeddings.2",
    "vggish/fc2": "embeddings.4",
}


class Vggish(nn.Module):
    """VGGish (Hershey et al. 2017, "CNN architectures for large-scale audio classification").

    Its last layer is rectified, as in the first release and in MERTools; the principal components and the rounding to
    8 bits of the AudioSet release are left out. The names of its tensors are those of the common PyTorch port
    (torchvggish), whose file loads as it is.

    Args:
        width: channels of the first convolution, 64 in the released network
        hidden: width of the two hidden layers, 4096 in the released network
        dim: numbers per example ``D``
    """

    def __init__(self, width: int = 64, hidden: int = 4096, dim: int = 128) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for stage in _STAGES:
            for factor in stage:
                layers += [nn.Conv2d(before, factor * width, 3, padding=1), nn.ReLU()]
                before = factor * width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        cells = (FRAMES // 2 ** len(_STAGES)) * (BANDS // 2 ** len(_STAGES))
        self.embeddings = nn.Sequential(
            nn.Linear(before * cells, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, dim),
            nn.ReLU(),
        )

    def forward(self, examples: Tensor) -> Tensor:
        """Maps log-mel examples ``(batch, 96, 64)`` to ``(batch, dim)``."""
        maps = self.features(examples[:, None])  # (B, C, 6, 4)
        return self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))  # TensorFlow has the channels last


def convert(variables: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Returns the state of a `Vggish` from the variables of the released TensorFlow checkpoint.

    A TensorFlow convolution is ``(height, width, in, out)`` and a dense layer ``(in, out)``; torch has the outputs
    first. Variables besides the eighteen of the network are left out.

    Args:
        variables: arrays by name, as in the checkpoint: ``vggish/conv1/weights`` ...

    Raises:
        UserError: one of the eighteen is not there
    """
    state = {}
    for theirs, ours in _NAMES.items():
        for name in (f"{theirs}/weights", f"{theirs}/biases"):
            if name not in variables:
                raise UserError(
                    f"The variables of VGGish lack '{name}': they are not those of the released checkpoint."
                )
        weights = torch.tensor(np.asarray(variables[f"{theirs}/weights"], np.float32))
        state[f"{ours}.weight"] = (weights.permute(3, 2, 0, 1) if weights.ndim == 4 else weights.T).contiguous()
        state[f"{ours}.bias"] = torch.tensor(np.asarray(variables[f"{theirs}/biases"], np.float32))
    return state

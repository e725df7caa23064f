"""Pictures as the networks read them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from toolkit.models.transformer.targets import IMAGENET_DEVIATION, IMAGENET_MEAN


def normalised(
    pictures: Tensor, mean: Sequence[float] = IMAGENET_MEAN, deviation: Sequence[float] = IMAGENET_DEVIATION
) -> Tensor:
    """Returns clips as the networks read them, ``(batch, 3, frames, H, W)`` float32, on the pictures' device.

    Args:
        pictures: ``(batch, frames, H, W, 3)`` uint8 RGB
        mean: of each colour of pixels in [0, 1]
        deviation: of each colour
    """
    clips = pictures.permute(0, 4, 1, 2, 3).to(torch.float32, memory_format=torch.contiguous_format) / 255
    centre, spread = (clips.new_tensor(colours)[:, None, None, None] for colours in (mean, deviation))
    return clips.sub_(centre).div_(spread)

"""MA-Net: a face seen whole at several scales, and in four quarters with attention.

Method: Zhao, Liu and Wang, "Learning Deep Global Multi-Scale and Local Attention Features for Facial Expression
Recognition in the Wild", IEEE Transactions on Image Processing 30, 2021; its attention is that of Woo, Park, Lee and
Kweon, "CBAM: Convolutional Block Attention Module", ECCV 2018. Layers are named as in the authors' checkpoint.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from toolkit.models.residual import BasicBlock, ResidualBlock, ResidualTrunk, convolution, stage

SCALES = 4  # groups of channels in a multi-scale block
QUARTERS = 4
REDUCTION = 16  # of the channels, inside the channel gate


class ChannelGate(nn.Module):
    """Weighs channels by what their mean and their maximum over the picture say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // REDUCTION
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, narrow), nn.ReLU(), nn.Linear(narrow, channels))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, channels, height, width)`` to the same shape."""
        scores = self.mlp(values.mean(dim=(2, 3))) + self.mlp(values.amax(dim=(2, 3)))
        return values * scores.sigmoid()[:, :, None, None]


class SpatialGate(nn.Module):
    """Weighs places by what the maximum and the mean over their channels say."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential()
        self.spatial.add_module("conv", convolution(2, 1, 7))
        self.spatial.add_module("bn", nn.BatchNorm2d(1))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, channels, height, width)`` to the same shape."""
        summary = torch.cat([values.amax(dim=1, keepdim=True), values.mean(dim=1, keepdim=True)], dim=1)
        return values * self.spatial(summary).sigmoid()


class AttentionBlock(BasicBlock):
    """A residual block whose output passes both gates before it meets the shortcut; arguments as there."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, stride)
        self.cbam = nn.Sequential()
        self.cbam.add_module("ChannelGate", ChannelGate(outputs))
        self.cbam.add_module("SpatialGate", SpatialGate())

    def residual(self, values: Tensor) -> Tensor:
        """Returns the second convolution's output, weighed."""
        return self.cbam(super().residual(values))


class MultiScaleBlock(ResidualBlock):
    """A residual block whose second half is two chains of convolutions over groups of channels.

    Along a chain every convolution also sees what the one before gave, and so a larger part of the picture. Arguments
    as in `ResidualBlock`.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, stride)
        narrow = outputs // SCALES
        for chain in (1, 2):
            for scale in range(1, SCALES + 1):
                self.add_module(f"conv{chain}_2_{scale}", convolution(narrow, narrow, 3))
                self.add_module(f"bn{chain}_2_{scale}", nn.BatchNorm2d(narrow))

    def residual(self, values: Tensor) -> Tensor:
        """Returns the sum of both chains."""
        groups = values.chunk(SCALES, dim=1)
        return self._chain(1, groups) + self._chain(2, groups)

    def _chain(self, chain: int, groups: Sequence[Tensor]) -> Tensor:
        outputs: list[Tensor] = []
        for scale, group in enumerate(groups, start=1):
            seen = group + outputs[-1].relu() if outputs else group
            convolved = self.get_submodule(f"conv{chain}_2_{scale}")(seen)
            outputs.append(self.get_submodule(f"bn{chain}_2_{scale}")(convolved))
        return torch.cat(outputs, dim=1)


class MANet(ResidualTrunk):
    """The network of both branches, without its classifiers.

    These, ``fc_1`` and ``fc_2``, are part of the state dictionary and are not computed.

    Args:
        width: channels of the first stage; the features are 16 times as wide, half of them of the quarters
        classes: outputs of the classifiers
    """

    def __init__(self, width: int = 64, classes: int = 7) -> None:
        super().__init__(width)
        for quarter in range(1, QUARTERS + 1):
            self.add_module(f"layer3_1_p{quarter}", stage(AttentionBlock, 2 * width, 4 * width, stride=2))
            self.add_module(f"layer4_1_p{quarter}", stage(AttentionBlock, 4 * width, 8 * width))
        self.layer3_2 = stage(MultiScaleBlock, 2 * width, 4 * width, stride=2)
        self.layer4_2 = stage(MultiScaleBlock, 4 * width, 8 * width, stride=2)
        self.fc_1 = nn.Linear(8 * width, classes)
        self.fc_2 = nn.Linear(8 * width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps pictures ``(batch, 3, height, width)`` in [0, 1] to features ``(batch, 16 * width)``.

        Height and width are multiples of 16, so that the quarters are of one size: 224 in the authors' training.
        """
        values = self.trunk(pictures)
        whole = self.layer4_2(self.layer3_2(values)).mean(dim=(2, 3))
        return torch.cat([self._quarters(values), whole], dim=1)

    def _quarters(self, values: Tensor) -> Tensor:
        """Returns the mean over all four quarters, each of which has layers of its own."""
        quarters = [quarter for half in values.chunk(2, dim=2) for quarter in half.chunk(2, dim=3)]
        means = []
        for number, quarter in enumerate(quarters, start=1):
            seen = self.get_submodule(f"layer3_1_p{number}")(quarter)
            means.append(self.get_submodule(f"layer4_1_p{number}")(seen).mean(dim=(2, 3)))
        return torch.stack(means).mean(dim=0)

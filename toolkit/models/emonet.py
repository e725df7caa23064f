"""EmoNet: a network that finds 68 landmarks of a face, and reads the emotion where it found them.

Method: Toisoul, Kossaifi, Bulat, Tzimiropoulos and Pantic, "Estimation of continuous valence and arousal levels from
faces in naturalistic conditions", Nature Machine Intelligence 3, 2021, on the landmark network of Bulat and
Tzimiropoulos, "How far are we from solving the 2D & 3D Face Alignment problem?", ICCV 2017. Layers are named as in the
authors' checkpoint; what they call instance normalisation is batch normalisation there.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.residual import convolution

LANDMARKS = 68
HOURGLASSES = 2


class PyramidBlock(nn.Module):
    """Three 3 x 3 convolutions, each reading the one before, side by side, and a shortcut past them.

    Args:
        inputs: channels read
        outputs: channels written: half of them by the first convolution, a quarter by each of the others
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half, quarter = outputs // 2, outputs // 4
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), convolution(inputs, half, 3)
        self.bn2, self.conv2 = nn.BatchNorm2d(half), convolution(half, quarter, 3)
        self.bn3, self.conv3 = nn.BatchNorm2d(quarter), convolution(quarter, quarter, 3)
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            self.downsample = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), convolution(inputs, outputs, 1))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, inputs, height, width)`` to ``(batch, outputs, height, width)``."""
        first = self.conv1(self.bn1(values).relu_())
        second = self.conv2(self.bn2(first).relu_())
        third = self.conv3(self.bn3(second).relu_())
        return torch.cat([first, second, third], dim=1) + self.downsample(values)


class Hourglass(nn.Module):
    """A picture made smaller and larger again, with a shortcut at every size.

    Args:
        width: channels
        depth: times that height and width are halved
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        for level in range(1, depth + 1):
            for place in ("b1", "b2", "b3"):
                self.add_module(f"{place}_{level}", PyramidBlock(width, width))
        self.b2_plus_1 = PyramidBlock(width, width)

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, width, height, width)`` to the same shape."""
        return self._at(self.depth, values)

    def _at(self, level: int, values: Tensor) -> Tensor:
        beside = self.get_submodule(f"b1_{level}")(values)
        below = self.get_submodule(f"b2_{level}")(functional.max_pool2d(values, 2))
        below = self._at(level - 1, below) if level > 1 else self.b2_plus_1(below)
        below = self.get_submodule(f"b3_{level}")(below)
        return beside + functional.interpolate(below, scale_factor=2, mode="nearest")


class EmoNet(nn.Module):
    """The network up to the vector that its last layers read expression, valence and arousal from.

    These layers, ``emo_fc_2``, are part of the state dictionary and are not computed.

    Args:
        width: channels of the hourglasses, and numbers of the features
        depth: times that an hourglass, and then the emotion branch, halves the picture
        expressions: number of expressions told apart
    """

    def __init__(self, width: int = 256, depth: int = 4, expressions: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width // 4, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(width // 4)
        self.conv2 = PyramidBlock(width // 4, width // 2)
        self.conv3 = PyramidBlock(width // 2, width // 2)
        self.conv4 = PyramidBlock(width // 2, width)
        for number in range(HOURGLASSES):
            self.add_module(f"m{number}", Hourglass(width, depth))
            self.add_module(f"top_m_{number}", PyramidBlock(width, width))
            self.add_module(f"conv_last{number}", nn.Conv2d(width, width, 1))
            self.add_module(f"bn_end{number}", nn.BatchNorm2d(width))
            self.add_module(f"l{number}", nn.Conv2d(width, LANDMARKS, 1))
        self.bl0 = nn.Conv2d(width, width, 1)
        self.al0 = nn.Conv2d(LANDMARKS, width, 1)
        self.conv1x1_input_emo_2 = nn.Conv2d((1 + HOURGLASSES) * width, width, 1)
        halvings = [layer for _ in range(depth) for layer in (PyramidBlock(width, width), nn.MaxPool2d(2))]
        self.emo_net_2 = nn.Sequential(*halvings)
        head = (nn.Linear(width, width // 2), nn.BatchNorm1d(width // 2), nn.ReLU())
        self.emo_fc_2 = nn.Sequential(*head, nn.Linear(width // 2, expressions + 2))

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps pictures ``(batch, 3, height, width)`` in [0, 1] to features ``(batch, width)``.

        Height and width are multiples of ``4 * 2**depth``: 256 in the authors' training.
        """
        values = self.conv2(self.bn1(self.conv1(pictures)).relu_())
        values = self.conv4(self.conv3(functional.max_pool2d(values, 2)))
        first, heatmaps = self._hourglass(0, values)
        first = self.bl0(first)
        second, heatmaps = self._hourglass(1, values + first + self.al0(heatmaps))
        attention = heatmaps.sum(dim=1, keepdim=True)
        seen = torch.cat([values, attention * first, attention * second], dim=1)
        return self.emo_net_2(self.conv1x1_input_emo_2(seen)).mean(dim=(2, 3))

    def _hourglass(self, number: int, values: Tensor) -> tuple[Tensor, Tensor]:
        """Returns features and landmark heatmaps of one hourglass."""
        values = self.get_submodule(f"top_m_{number}")(self.get_submodule(f"m{number}")(values))
        values = self.get_submodule(f"conv_last{number}")(values)
        values = self.get_submodule(f"bn_end{number}")(values).relu_()
        return values, self.get_submodule(f"l{number}")(values)

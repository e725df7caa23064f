"""Residual blocks of convolutions, and the first half of an 18-layer network of them.

Method: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016. Layers are named as in
torchvision, so that checkpoints load by name.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Returns a convolution without bias that keeps height and width, but for the stride."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class ResidualBlock(nn.Module, ABC):
    """A 3 x 3 convolution, something more, and a shortcut past both.

    Args:
        inputs: channels read
        outputs: channels written
        stride: of the first convolution and of the shortcut
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, values: Tensor) -> Tensor:
        """Maps ``(batch, inputs, height, width)`` to ``(batch, outputs, height / stride, width / stride)``."""
        residual = self.residual(self.bn1(self.conv1(values)).relu_())
        return (residual + self.downsample(values)).relu_()

    @abstractmethod
    def residual(self, values: Tensor) -> Tensor:
        """Returns what is added to the shortcut, out of what the first convolution gave; both of one shape."""


class BasicBlock(ResidualBlock):
    """Two 3 x 3 convolutions; arguments as in `ResidualBlock`."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, stride)
        self.conv2 = convolution(outputs, outputs, 3)
        self.bn2 = nn.BatchNorm2d(outputs)

    def residual(self, values: Tensor) -> Tensor:
        """Returns the second convolution's output."""
        return self.bn2(self.conv2(values))


def stage(block: type[ResidualBlock], inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Returns two blocks, of which the first has the stride."""
    return nn.Sequential(block(inputs, outputs, stride), block(outputs, outputs))


class ResidualTrunk(nn.Module):
    """What an 18-layer residual network begins with: a wide convolution, pooling, and two stages of blocks.

    Args:
        width: channels of the first stage
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(BasicBlock, width, width)
        self.layer2 = stage(BasicBlock, width, 2 * width, stride=2)

    def trunk(self, pictures: Tensor) -> Tensor:
        """Maps ``(batch, 3, height, width)`` to ``(batch, 2 * channels, height / 8, width / 8)``."""
        values = self.maxpool(self.bn1(self.conv1(pictures)).relu_())
        return self.layer2(self.layer1(values))

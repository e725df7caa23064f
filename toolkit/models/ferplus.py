"""ResNet-50 and SENet-50 trained on FER+, as their converter from Caffe to PyTorch named the layers.

Method: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, with the stride in the first
1 x 1 convolution; Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018; weights of Albanie, Nagrani, Vedaldi
and Zisserman, "Emotion Recognition in Speech using Cross-Modal Transfer in the Wild", ACM Multimedia 2018.
"""

from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.residual import convolution

STAGES = {"conv2": 3, "conv3": 4, "conv4": 6, "conv5": 3}  # blocks
WIDENING = 4  # a block writes four times the channels it computes with
REDUCTION = 16  # of these, in the squeeze
EMOTIONS = 8


class FerPlus(nn.Module):
    """A residual network of 50 layers up to its last 3 x 3 convolution, which is where MERTools takes its features.

    The convolution after that one and the classifier are part of the state dictionary and are not computed.

    Args:
        excitation: weigh the channels of every block (SENet-50), or not (ResNet-50)
        width: channels that the first stage computes with; the features are eight times as wide
    """

    def __init__(self, *, excitation: bool, width: int = 64) -> None:
        super().__init__()
        self.excitation = excitation
        self._add("conv1_7x7_s2", nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False))
        self._blocks: list[str] = []
        inputs = width
        for level, (stage, blocks) in enumerate(STAGES.items()):
            for number in range(1, blocks + 1):
                stride = 2 if level and number == 1 else 1
                self._add_block(f"{stage}_{number}", inputs, width << level, stride)
                inputs = WIDENING * (width << level)
        self.classifier = nn.Conv2d(inputs, EMOTIONS, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps pictures ``(batch, 3, 224, 224)`` in [0, 255], less their mean, to features ``(batch, 8 * width)``."""
        values = self._convolved("conv1_7x7_s2", pictures).relu_()
        values = functional.max_pool2d(values, 3, stride=2, ceil_mode=True)
        *blocks, last = self._blocks
        for name in blocks:
            shortcut = self._convolved(f"{name}_1x1_proj", values) if name.endswith("_1") else values
            residual = self._convolved(f"{name}_1x1_increase", self._narrow(name, values))
            if self.excitation:
                residual = residual * self._weights(name, residual)
            values = (residual + shortcut).relu_()
        return self._narrow(last, values).mean(dim=(2, 3))

    def _add(self, name: str, layer: nn.Conv2d) -> None:
        self.add_module(name, layer)
        self.add_module(f"{name}_bn", nn.BatchNorm2d(layer.out_channels))

    def _add_block(self, name: str, inputs: int, width: int, stride: int) -> None:
        outputs = WIDENING * width
        self._blocks.append(name)
        self._add(f"{name}_1x1_reduce", convolution(inputs, width, 1, stride))
        self._add(f"{name}_3x3", convolution(width, width, 3))
        self._add(f"{name}_1x1_increase", convolution(width, outputs, 1))
        if name.endswith("_1"):
            self._add(f"{name}_1x1_proj", convolution(inputs, outputs, 1, stride))
        if self.excitation:
            self.add_module(f"{name}_1x1_down", nn.Conv2d(outputs, outputs // REDUCTION, 1))
            self.add_module(f"{name}_1x1_up", nn.Conv2d(outputs // REDUCTION, outputs, 1))

    def _convolved(self, name: str, values: Tensor) -> Tensor:
        return self.get_submodule(f"{name}_bn")(self.get_submodule(name)(values))

    def _narrow(self, name: str, values: Tensor) -> Tensor:
        """Returns what a block has after its 3 x 3 convolution."""
        reduced = self._convolved(f"{name}_1x1_reduce", values).relu_()
        return self._convolved(f"{name}_3x3", reduced).relu_()

    def _weights(self, name: str, values: Tensor) -> Tensor:
        """Returns how much each channel counts, ``(batch, channels, 1, 1)`` in (0, 1)."""
        squeezed = self.get_submodule(f"{name}_1x1_down")(values.mean(dim=(2, 3), keepdim=True)).relu_()
        return self.get_submodule(f"{name}_1x1_up")(squeezed).sigmoid_()

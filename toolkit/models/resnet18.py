"""The residual network of 18 layers, as features of faces (trained on MS-Celeb) or of things (ImageNet)."""

from torch import Tensor, nn

from toolkit.models.residual import BasicBlock, ResidualTrunk, stage


class ResNet18(ResidualTrunk):
    """He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1, without its head.

    Names of the state dictionary are those of torchvision. The classifier ``fc`` is among them, and is not computed.

    Args:
        width: channels of the first stage; the features are eight times as wide
        classes: outputs of the classifier
    """

    def __init__(self, width: int = 64, classes: int = 1000) -> None:
        super().__init__(width)
        self.layer3 = stage(BasicBlock, 2 * width, 4 * width, stride=2)
        self.layer4 = stage(BasicBlock, 4 * width, 8 * width, stride=2)
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps normalised pictures ``(batch, 3, height, width)`` to features ``(batch, 8 * width)``."""
        return self.layer4(self.layer3(self.trunk(pictures))).mean(dim=(2, 3))

"""ResNet-18: features of faces from networks trained to tell people (MS-Celeb) or things (ImageNet) apart."""

from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import EncoderSpec, register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.visual.face_network import FaceNetworkEncoder, squeezed

if TYPE_CHECKING:
    import torch

TINY = EncoderSpec(
    name="tiny-resnet18",
    modality="visual",
    family="resnet18",
    checkpoint="tiny",
    input_size=32,
    faces=FaceSpec(),
    options=(("width", 8),),
    dim=64,
)


@register
class ResNet18Encoder(FaceNetworkEncoder):
    """The residual network of 18 layers by He and others (2016), up to its average pool; `toolkit.models.resnet18`.

    Crops are stretched to a square (Pillow, bilinear) and normalised by the colours of ImageNet, which is also how
    MERTools does it, so that ``...@mertools`` differs in the crops only.
    """

    family = "resnet18"
    specs = (*catalogue("visual", "resnet18"), TINY)
    capacity = 8  # pictures; a layer of 112 x 112 places and 64 channels has 3 MB of each
    mean = (0.485 * 255, 0.456 * 255, 0.406 * 255)
    deviation = (0.229 * 255, 0.224 * 255, 0.225 * 255)
    classifier = ("fc.",)

    def architecture(self) -> "torch.nn.Module":
        """Returns the network of the spec with random weights."""
        from toolkit.models.resnet18 import ResNet18

        return ResNet18(self.spec.option("width", 64))

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns the crop as a square."""
        return squeezed(crop, self.spec.input_size)

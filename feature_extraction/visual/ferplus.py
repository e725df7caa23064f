"""ResNet-50 and SENet-50 on FER+: features of faces from networks of eight emotions."""

from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import EncoderSpec, register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.visual.face_network import FaceNetworkEncoder

if TYPE_CHECKING:
    import torch

MARGIN = 256 / 224  # the picture is made as much larger than the square cut out of its middle


def tiny(name: str, *, excitation: bool) -> EncoderSpec:
    """Returns the spec of a network of an eighth of the width."""
    return EncoderSpec(
        name=name,
        modality="visual",
        family="ferplus",
        checkpoint="tiny",
        input_size=28,
        faces=FaceSpec(),
        options=(("excitation", excitation), ("width", 8)),
        dim=64,
    )


@register
class FerPlusEncoder(FaceNetworkEncoder):
    """ResNet-50 or SENet-50 of Albanie and others (2018), up to their last 3 x 3 convolution; `toolkit.models.ferplus`.

    The shorter side is made 256 pixels long (Pillow, bilinear) and the middle 224 x 224 are looked at, which is also
    how MERTools does it, so that ``...@mertools`` differs in the crops only.
    """

    family = "ferplus"
    specs = (
        *catalogue("visual", "ferplus"),
        tiny("tiny-resnet50-ferplus", excitation=False),
        tiny("tiny-senet50-ferplus", excitation=True),
    )
    capacity = 8  # pictures; a layer of 56 x 56 places and 256 channels has 3 MB of each
    mean = (131.0912, 103.8827, 91.4953)
    deviation = (1.0, 1.0, 1.0)
    classifier = ("classifier.",)

    def architecture(self) -> "torch.nn.Module":
        """Returns the network of the spec with random weights."""
        from toolkit.models.ferplus import FerPlus

        return FerPlus(excitation=self.spec.option("excitation"), width=self.spec.option("width", 64))

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns the middle of the crop."""
        from PIL import Image

        side = self.spec.input_size
        height, width = crop.shape[:2]
        shorter, target = min(height, width), round(side * MARGIN)
        size = (target * width // shorter, target * height // shorter)  # Pillow wants the width first
        picture = np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BILINEAR))
        top, left = (round((length - side) / 2) for length in picture.shape[:2])
        return picture[top : top + side, left : left + side]

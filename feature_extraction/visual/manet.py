"""MA-Net: features of faces from a network of expressions that sees the whole and the quarters."""

from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import EncoderSpec, register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.visual.face_network import FaceNetworkEncoder, squeezed

if TYPE_CHECKING:
    import torch

TINY = EncoderSpec(
    name="tiny-manet",
    modality="visual",
    family="manet",
    checkpoint="tiny",
    input_size=32,
    faces=FaceSpec(),
    options=(("width", 8),),
    dim=128,
)


@register
class MANetEncoder(FaceNetworkEncoder):
    """MA-Net of Zhao, Liu and Wang (2021), trained on RAF-DB; see `toolkit.models.manet`.

    Crops are stretched to a square (Pillow, bilinear) and not normalised, which is also how MERTools does it, so that
    ``manet@mertools`` differs in the crops only.
    """

    family = "manet"
    specs = (*catalogue("visual", "manet"), TINY)
    capacity = 8  # pictures; a layer of 112 x 112 places and 64 channels has 3 MB of each
    classifier = ("fc_1.", "fc_2.")

    def architecture(self) -> "torch.nn.Module":
        """Returns the network of the spec with random weights."""
        from toolkit.models.manet import MANet

        return MANet(self.spec.option("width", 64))

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns the crop as a square."""
        return squeezed(crop, self.spec.input_size)

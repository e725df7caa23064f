"""EmoNet: features of faces from which expression, valence and arousal can be read."""

from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.encoder import EncoderSpec, register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.visual.face_network import FaceNetworkEncoder

if TYPE_CHECKING:
    import torch

TINY = EncoderSpec(
    name="tiny-emonet",
    modality="visual",
    family="emonet",
    checkpoint="tiny",
    input_size=32,
    faces=FaceSpec(),
    options=(("depth", 1), ("width", 16)),
    dim=16,
)


@register
class EmoNetEncoder(FaceNetworkEncoder):
    """EmoNet of Toisoul and others (2021); see `toolkit.models.emonet`.

    Crops are stretched to a square bilinearly and without smoothing (OpenCV), which is also how MERTools does it, so
    that ``emonet@mertools`` differs in the crops only.
    """

    family = "emonet"
    specs = (*catalogue("visual", "emonet"), TINY)
    capacity = 3  # pictures; a layer of 128 x 128 places and 128 channels has 8 MB of each
    classifier = ("emo_fc_2.",)

    def architecture(self) -> "torch.nn.Module":
        """Returns the network of the spec with random weights."""
        from toolkit.models.emonet import EmoNet

        return EmoNet(self.spec.option("width", 256), self.spec.option("depth", 4))

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns the crop as a square."""
        import cv2

        return cv2.resize(crop, (self.spec.input_size, self.spec.input_size), interpolation=cv2.INTER_LINEAR)

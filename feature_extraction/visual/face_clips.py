"""What the masked autoencoders that look at faces share: which pictures they see, and how."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.autoencoder import AutoencoderEncoder
from feature_extraction.faces.spec import get_face_spec
from feature_extraction.piece import Piece
from feature_extraction.spec import EncoderSpec
from feature_extraction.visual.preprocessing import Preprocessing, normalisation
from toolkit.errors import ClipError
from toolkit.status import Status

if TYPE_CHECKING:
    import torch

    from feature_extraction.faces.track import FaceTrack
    from toolkit.models.masked_autoencoder import FineTuning
    from toolkit.models.transformer.clip_shape import ClipShape

STEP = 4  # pictures, as the authors, who had 25 a second and took every one
FACES = "mtcnn-every"


def tiny(family: str) -> EncoderSpec:
    """Returns the spec of a family's small random network."""
    return EncoderSpec(
        name=f"tiny-{family}",
        modality="visual",
        family=family,
        checkpoint="tiny",
        pooling="own",
        faces=get_face_spec(FACES),
        options=(("step", STEP),),
        dim=64,
    )


class FaceClipEncoder(AutoencoderEncoder):
    """A masked autoencoder that sees every ``step``-th picture of the face track, 16 at once.

    Pictures are made squares bilinearly and without smoothing (OpenCV), and colours normalised as ImageNet's. The
    authors' test views have two places in space as well, which are one and the same of a square.
    """

    from_file = f"{AutoencoderEncoder.from_file} faces={FACES} step={STEP}"

    def shape(self, network: "FineTuning") -> "ClipShape":
        """Returns the shape of the clips that the network sees."""
        return network.shape

    def count_steps(self, network: "FineTuning") -> int:
        """Returns how many rows the network gives of a window."""
        return self.shape(network).grid[0]

    @property
    def step(self) -> int:
        """Pictures from one that is seen to the next."""
        return self.spec.option("step")

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """What is done to the pixels."""
        from toolkit.models.transformer.targets import IMAGENET_DEVIATION, IMAGENET_MEAN

        scale, shift = normalisation(IMAGENET_MEAN, IMAGENET_DEVIATION)
        size = self.shape(self.network).size
        return Preprocessing(resize=(size, size), scale=scale, shift=shift)

    def moments(self, item: "FaceTrack") -> np.ndarray:
        """Returns the seconds of the pictures that are seen; raises `ClipError` where the track is empty."""
        if not len(item.times):
            raise ClipError(Status.NO_FACE, "the face track has no frames")
        return np.asarray(item.times[:: self.step], dtype=np.float64)

    def streams(self, item: "FaceTrack", moments: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns the pictures ``(16, height, width, 3)`` uint8 as ``video``."""
        own, places = np.unique(moments * self.step, return_inverse=True)
        pictures = self.parallel(self.picture, [item.crops[number] for number in own])
        return {"video": np.stack(pictures)[places]}

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns a crop ``(height, width, 3)`` uint8 RGB as a square of the network's size."""
        import cv2

        return cv2.resize(crop, self.preprocessing.size, interpolation=cv2.INTER_LINEAR)

    def stacked(self, pieces: list[Piece], stream: str) -> "torch.Tensor":
        """Returns one stream of a batch; pictures are normalised, ``(B, 3, 16, height, width)``."""
        values = super().stacked(pieces, stream)
        if stream != "video":
            return values
        videos = self.preprocessing.normalised(values.flatten(0, 1)).unflatten(0, values.shape[:2])
        return videos.transpose(1, 2).to(self.dtype)

"""The VideoMAE of the MER2024 baseline, pretrained on talking faces: windows of sixteen pictures."""

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import load_into, read_state, seeded, weights_file
from feature_extraction.encoder import register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.spec import EncoderSpec
from feature_extraction.visual.preprocessing import Preprocessing
from feature_extraction.visual.window_encoder import WindowEncoder
from feature_extraction.visual.windows import Window, both_ends, consecutive

if TYPE_CHECKING:
    import torch

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, full scale 1
_BILINEAR = 2  # as PIL numbers its filters
_STRIDE = 4  # pictures between those MERTools looks at
_NOT_THE_ENCODER = ("decoder.", "encoder_to_decoder.", "mask_token", "head.")  # of pretraining, of a classifier

TINY = EncoderSpec(
    name="tiny-video-face",
    modality="visual",
    family="video-face",
    checkpoint="tiny",
    dim=16,
    input_size=32,
    faces=FaceSpec(),
)


@register
class VideoFaceEncoder(WindowEncoder):
    """VideoMAE (Tong et al. 2022) pretrained on faces, as in MER2024: a row for every two pictures of the face track.

    Windows of 16 pictures lie side by side and cover the clip; a row is the mean of the normalised tokens of two
    pictures. With ``views=mertools`` it is what the script of MER2024 computes of a clip (its level UTTERANCE): every
    fourth picture, of them the first and the last 16, a row each, and colours in the order blue, green, red. What that
    script computes of single frames (four views of the 16 around each) there is not.
    """

    family = "video-face"
    specs = (*catalogue("visual", "video-face"), TINY)

    def build(self) -> "torch.nn.Module":
        """Returns the network with the authors' weights."""
        from toolkit.models.transformer.clip_shape import ClipShape
        from toolkit.models.videomae import VideoMaeFineTuning, VideoMaeSize

        size = self.spec.input_size
        self._theirs = self.spec.option("views") == "mertools"
        self.preprocessing = Preprocessing(
            resize=(size, size),
            resample=_BILINEAR,
            scale=tuple(1 / (255 * deviation) for deviation in _DEVIATION),
            shift=tuple(-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)),
        )
        if self.spec.is_tiny:
            with seeded():
                return VideoMaeFineTuning(
                    VideoMaeSize(ClipShape(size), self.spec.dim, depth=2, heads=2), norm_tokens=True
                )
        network = VideoMaeFineTuning(VideoMaeSize(ClipShape(size)), norm_tokens=True)
        path = weights_file(self.spec)
        # The authors' trainer keeps its options beside the weights.
        load_into(network, encoder_state(read_state(path, allowed=[argparse.Namespace])), path)
        return network

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns a crop resized, aspect not kept; as in MERTools, if so asked, with the colours reversed."""
        picture = super().picture(crop)
        return picture[..., ::-1] if self._theirs else picture

    def windows(self, times: np.ndarray) -> Iterator[Window]:
        """Yields the windows of a clip, see `feature_extraction.visual.windows`."""
        shape = self.network.shape
        sizes = {"length": shape.frames, "tubelet": shape.tubelet}
        return both_ends(times, stride=_STRIDE, **sizes) if self._theirs else consecutive(times, **sizes)

    def rows(self, videos: "torch.Tensor") -> "torch.Tensor":
        """Returns the means of each tubelet's tokens."""
        return self.network.steps(videos.transpose(1, 2)).float()


def encoder_state(state: "Mapping[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """Returns the encoder's tensors of a checkpoint, by their names in a network without a classifier.

    A checkpoint of pretraining has them under ``encoder.``, others under ``backbone.`` or as they are; the decoder
    and the classifier are left out.
    """
    names = {name: name.removeprefix("backbone.").removeprefix("encoder.") for name in state}
    return {short: state[name] for name, short in names.items() if not short.startswith(_NOT_THE_ENCODER)}

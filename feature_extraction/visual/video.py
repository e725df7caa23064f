"""VideoMAE through transformers: windows of sixteen pictures."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import pretrained, seeded
from feature_extraction.encoder import register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.layers import combine_layers
from feature_extraction.loading import load_whole
from feature_extraction.spec import EncoderSpec
from feature_extraction.visual.preprocessing import Preprocessing
from feature_extraction.visual.window_encoder import WindowEncoder
from feature_extraction.visual.windows import Window, consecutive, uniform
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

TINY = EncoderSpec(
    name="tiny-videomae",
    modality="visual",
    family="video",
    checkpoint="tiny",
    dim=16,
    input_size=32,
    faces=FaceSpec(),
)


@register
class VideoEncoder(WindowEncoder):
    """VideoMAE (Tong et al. 2022): a row for every two pictures of the face track.

    Windows of 16 pictures lie side by side and cover the clip; a row is the mean of the tokens of two pictures. The
    tokens are those of the last layer, normalised where the checkpoint has a normalisation after it, or those of
    ``spec.layers``. With ``windows=uniform`` the clip is one window of 16 pictures spread evenly over it, whatever
    its length, as in MERTools. Pictures are prepared as the checkpoint's own processor would.
    """

    family = "video"
    has_layers = True
    hub: ClassVar[Mapping[str, str]] = {"videomae": ""}
    specs = (*catalogue("visual", "video"), TINY)

    def build(self) -> "torch.nn.Module":
        """Returns the network with its weights.

        Raises:
            UserError: the checkpoint is not to be had, is of another network, or makes pictures of another size
        """
        if self.spec.is_tiny:
            self.preprocessing = Preprocessing(resize=(self.spec.input_size, self.spec.input_size))
            return _tiny(self.spec)
        from transformers import AutoImageProcessor, VideoMAEModel

        processor = pretrained(AutoImageProcessor.from_pretrained, self.spec, self.trusted, backend="pil")
        self.preprocessing = Preprocessing.of(processor, self.spec.name)
        network = load_whole(VideoMAEModel.from_pretrained, self.spec, self.trusted)
        expected = tuple(np.broadcast_to(network.config.image_size, 2).tolist())
        if self.preprocessing.size != expected:
            raise UserError(
                f"'{self.spec.name}': the preprocessor of {self.spec.checkpoint} makes pictures of "
                f"{self.preprocessing.size} pixels, but its network expects {expected}."
            )
        return network

    def windows(self, times: np.ndarray) -> Iterator[Window]:
        """Yields the windows of a clip, see `feature_extraction.visual.windows`."""
        config = self.network.config
        cut = uniform if self.spec.option("windows") == "uniform" else consecutive
        return cut(times, length=config.num_frames, tubelet=config.tubelet_size)

    def rows(self, videos: "torch.Tensor") -> "torch.Tensor":
        """Returns the means of each tubelet's tokens."""
        spec = self.spec
        wants_layers = bool(spec.layers) or spec.combine == "keep"
        output = self.network(pixel_values=videos, output_hidden_states=wants_layers)
        states = output.last_hidden_state
        if wants_layers:
            states = combine_layers(output.hidden_states, spec.layers, spec.combine)
        config = self.network.config
        return states.float().unflatten(1, (config.num_frames // config.tubelet_size, -1)).mean(dim=2)


def _tiny(spec: EncoderSpec) -> "torch.nn.Module":
    """Returns a small random network for pictures of the spec's size."""
    from transformers import VideoMAEConfig, VideoMAEModel

    config = VideoMAEConfig(
        image_size=spec.input_size,
        patch_size=16,
        hidden_size=spec.dim,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * spec.dim,
        use_mean_pooling=False,
    )
    with seeded():
        return VideoMAEModel(config)

"""Image models of transformers: CLIP, SigLIP, DINOv2, ViT, BEiT, data2vec-vision and their like."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from feature_extraction.catalogue import catalogue
from feature_extraction.checkpoint import pretrained, seeded
from feature_extraction.encoder import register
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.layers import combine_layers
from feature_extraction.loading import load_whole
from feature_extraction.spec import EncoderSpec
from feature_extraction.visual.architecture import ARCHITECTURES, Architecture, architecture_of
from feature_extraction.visual.picture_encoder import PictureEncoder
from feature_extraction.visual.preprocessing import Preprocessing
from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch


def _tiny(model_type: str, tokens: str, dim: int) -> EncoderSpec:
    return EncoderSpec(
        name=f"tiny-{model_type}", modality="visual", family="image", checkpoint="tiny", input_size=32,
        faces=FaceSpec(), options=(("model_type", model_type), ("tokens", tokens)), dim=dim,
    )  # fmt: skip


@register
class ImageEncoder(PictureEncoder):
    """One vector per picture, out of any image transformer.

    The option ``tokens`` says which:

    - ``projected``: where pictures meet texts (CLIP's projection, SigLIP's attention head);
    - ``pooled``: what the network itself makes of the picture for its classifier;
    - ``class``: the class token;
    - ``mean``: the mean of the patches' tokens, which the class token and registers are not part of;
    - ``sum``: the sum of all tokens, those included, as MERTools has it for DINOv2 and data2vec.

    The last three are read off the last state, which most networks normalise (CLIP, and BEIT and data2vec where they
    were trained on means, do that to their summaries only), or off ``spec.layers``, which are the states between the
    blocks, never normalised. Only the half of a model that sees is loaded. Pictures are prepared as the checkpoint's
    own processor would, pixel by pixel.
    """

    family = "image"
    has_layers = True
    hub: ClassVar[Mapping[str, str]] = {
        model_type: f"tokens={architecture.tokens}" for model_type, architecture in ARCHITECTURES.items()
    }
    specs = (
        *catalogue("visual", "image"),
        _tiny("clip", "projected", 16),
        _tiny("siglip", "projected", 32),
        _tiny("dinov2", "class", 32),
        _tiny("vit", "class", 32),
        _tiny("data2vec-vision", "mean", 32),
    )

    def build(self) -> "torch.nn.Module":
        """Returns the network, after checking that it can give what the spec asks for."""
        spec = self.spec
        if spec.is_tiny:
            model_type = spec.option("model_type")
        else:
            from transformers import AutoConfig, AutoImageProcessor

            config = pretrained(AutoConfig.from_pretrained, spec, self.trusted)
            model_type = config.model_type
        self._architecture = architecture_of(model_type, spec.name)
        self._tokens = _checked_tokens(spec, self._architecture)
        if spec.is_tiny:
            self._preprocessing = Preprocessing(resize=(spec.input_size, spec.input_size))
            with seeded():
                return self._architecture.tiny_network(self._tokens, spec.input_size)
        processor = pretrained(AutoImageProcessor.from_pretrained, spec, self.trusted, backend="pil")
        self._preprocessing = Preprocessing.of(processor, spec.name)
        network = self._load(config)
        self._check_size(network.config)
        return network

    def _load(self, config: Any) -> "torch.nn.Module":
        """Returns the pretrained network.

        Args:
            config: of the whole model, text half included

        Raises:
            UserError: the checkpoint lacks what the tokens are made by
        """
        network_class, options = self._architecture.network_class(self._tokens)
        if self._tokens == "projected" and hasattr(config, "projection_dim"):
            options["projection_dim"] = config.projection_dim  # the vision half may name another, which is not used
        advice = f"It is needed for tokens={self._tokens}; without it there are {', '.join(self._architecture.plain)}."
        has_head = getattr(getattr(config, "vision_config", config), "vision_use_head", True)
        if self._tokens in self._architecture.summaries and not has_head:
            raise UserError(f"'{self.spec.name}': the checkpoint {self.spec.checkpoint} has no head. {advice}")
        return load_whole(
            network_class.from_pretrained,
            self.spec,
            self.trusted,
            unused=("embeddings.mask_token",),  # for training only
            advice=advice,
            **options,
        )

    def _check_size(self, config: Any) -> None:
        """Raises a `UserError` where pictures and network do not fit each other."""
        size = self._preprocessing.size
        trained = tuple(np.broadcast_to(config.image_size, 2).tolist())
        wanted = {(self.spec.input_size,) * 2} if self.spec.input_size else set()
        wanted |= set() if self._architecture.any_size else {trained}
        for other in wanted - {size}:
            raise UserError(
                f"'{self.spec.name}' needs pictures of {other[0]} x {other[1]} pixels, but the preprocessor of "
                f"{self.spec.checkpoint} makes them {size[0]} x {size[1]}."
            )

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns ``(height, width, 3)`` uint8, resized and cropped."""
        return self._preprocessing.picture(crop)

    def rows(self, pictures: "torch.Tensor") -> "torch.Tensor":
        """Returns what ``tokens`` names."""
        pixels = self._preprocessing.normalised(pictures).to(self.dtype)
        output = self.network(pixel_values=pixels, output_hidden_states=_wants_layers(self.spec))
        if self._tokens in self._architecture.summaries:
            _, place = self._architecture.summaries[self._tokens]
            return output[place]
        states = output.last_hidden_state
        if _wants_layers(self.spec):
            states = combine_layers(output.hidden_states, self.spec.layers, self.spec.combine)
        if self._tokens == "class":
            return states[:, 0]
        if self._tokens == "mean":
            states = states[:, self._architecture.leading_tokens(self.network.config) :]
            return states.float().mean(dim=1)
        return states.float().sum(dim=1)


def _wants_layers(spec: EncoderSpec) -> bool:
    return bool(spec.layers) or spec.combine == "keep"


def _checked_tokens(spec: EncoderSpec, architecture: Architecture) -> str:
    """Returns which tokens are wanted.

    Raises:
        UserError: the architecture does not have them, or not of single layers
    """
    tokens = spec.option("tokens", architecture.tokens)
    if tokens not in architecture.choices:
        raise UserError(f"'{spec.name}' has no tokens={tokens}, expected one of {', '.join(architecture.choices)}.")
    if _wants_layers(spec) and tokens in architecture.summaries:
        raise UserError(
            f"'{spec.name}' has tokens={tokens}, which the network makes of its last layer only. For other layers "
            f"choose tokens of {', '.join(architecture.plain)}."
        )
    return tokens

"""Architectures of image models in transformers: which class is loaded, and what can be read off its output."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.errors import UserError

if TYPE_CHECKING:
    import torch

# Random networks for tests: two layers of 32 numbers on 16 patches.
_TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 8}


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How one type of image model is loaded and read.

    Attributes:
        network: class of transformers; of models that also read text, the half that sees
        tokens: what is read off unless the spec says otherwise
        summaries: vectors that the network gives of a whole picture: the class that computes them, by default
            ``network``, and where they lie in its output
        leading: tokens before those of the patches, the class token first
        optional_pooler: whether the pooling layer is left out unless wanted
        any_size: whether the network fits its position embeddings to pictures of another size than it was trained on
        tiny: settings of a random network, beside those all share
    """

    network: str
    tokens: str
    summaries: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    leading: int = 1
    optional_pooler: bool = False
    any_size: bool = False
    tiny: Mapping[str, Any] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[str, ...]:
        """What ``tokens`` may be."""
        return (*self.summaries, *self.plain)

    @property
    def plain(self) -> tuple[str, ...]:
        """Those of them that can be read off every layer, and need no weights beside it."""
        return (*(("class",) if self.leading else ()), "mean", "sum")

    def network_class(self, tokens: str) -> tuple[Any, dict[str, Any]]:
        """Returns the class that computes what is wanted and no more, and its arguments beside a configuration."""
        import transformers

        name, _ = self.summaries.get(tokens, (self.network, ""))
        return getattr(transformers, name), ({"add_pooling_layer": tokens == "pooled"} if self.optional_pooler else {})

    def tiny_network(self, tokens: str, size: int) -> "torch.nn.Module":
        """Returns a small network for pictures of ``size`` x ``size`` pixels, its weights drawn at random."""
        network, options = self.network_class(tokens)
        config = network.config_class(**_TINY, image_size=size, **self.tiny)
        return network._from_config(config, **options)

    def leading_tokens(self, config: Any) -> int:
        """Returns how many tokens come before those of the patches, registers included."""
        return self.leading + getattr(config, "num_register_tokens", 0)


def architecture_of(model_type: str, name: str) -> Architecture:
    """Returns the architecture of a model type.

    Args:
        model_type: as in the model's config.json
        name: of the encoder, for messages

    Raises:
        UserError: it is none of those known here
    """
    if model_type not in ARCHITECTURES:
        raise UserError(
            f"'{name}' is a model of type '{model_type}', expected an image model of one of the types "
            f"{', '.join(sorted(ARCHITECTURES))}."
        )
    return ARCHITECTURES[model_type]


def _clip(prefix: str) -> Architecture:
    projected = (f"{prefix}VisionModelWithProjection", "image_embeds")
    return Architecture(
        network=f"{prefix}VisionModel",
        tokens="projected",
        summaries={"projected": projected, "pooled": (f"{prefix}VisionModel", "pooler_output")},
        tiny={"intermediate_size": 64, "projection_dim": 16},
    )


def _with_pooler(network: str, tokens: str, **facts: Any) -> Architecture:
    return Architecture(network=network, tokens=tokens, summaries={"pooled": (network, "pooler_output")}, **facts)


_CLIP, _METACLIP = _clip("CLIP"), _clip("MetaClip2")
_SMALL: dict[str, Any] = {"intermediate_size": 64}
_SIGLIP = Architecture(
    network="SiglipVisionModel",
    tokens="projected",
    # The attention head at its end is all the projection there is.
    summaries=dict.fromkeys(("projected", "pooled"), ("SiglipVisionModel", "pooler_output")),
    leading=0,
    tiny=_SMALL,
)
_BEIT: dict[str, Any] = {**_SMALL, "use_mean_pooling": True, "use_relative_position_bias": True}

ARCHITECTURES: dict[str, Architecture] = {
    "beit": _with_pooler("BeitModel", "mean", optional_pooler=True, tiny=_BEIT),
    "clip": _CLIP,
    "clip_vision_model": _CLIP,
    "data2vec-vision": _with_pooler("Data2VecVisionModel", "mean", optional_pooler=True, tiny=_BEIT),
    "deit": _with_pooler("DeiTModel", "class", leading=2, optional_pooler=True, tiny=_SMALL),
    "dinov2": _with_pooler("Dinov2Model", "class", any_size=True, tiny={"mlp_ratio": 2}),
    "dinov2_with_registers": _with_pooler("Dinov2WithRegistersModel", "class", any_size=True, tiny={"mlp_ratio": 2}),
    "ijepa": _with_pooler("IJepaModel", "mean", leading=0, optional_pooler=True, tiny=_SMALL),
    "metaclip_2": _METACLIP,
    "metaclip_2_vision_model": _METACLIP,
    "siglip": _SIGLIP,
    "siglip_vision_model": _SIGLIP,
    "vit": _with_pooler("ViTModel", "class", optional_pooler=True, tiny=_SMALL),
    "vit_msn": Architecture(network="ViTMSNModel", tokens="class", tiny=_SMALL),
}

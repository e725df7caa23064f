"""SVFAP: a masked autoencoder of faces with a pyramid in time and bottlenecks in space.

Sun, Lian, Wang, He, Xu, Sun, Tao, "SVFAP: Self-supervised Video Facial Affect Perceiver", IEEE Transactions on
Affective Computing 2024, arXiv 2401.00416.
"""

import re
from collections.abc import Mapping
from typing import Literal

from torch import Tensor

from toolkit.models.masked_autoencoder import Family, autoencoders
from toolkit.models.tpsbt import Tpsbt, TpsbtSize
from toolkit.models.transformer.block import layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.head import Activation
from toolkit.models.transformer.initial import xavier
from toolkit.models.transformer.masks import Mask, Split, Tube, taken
from toolkit.models.transformer.positions import sinusoids
from toolkit.models.transformer.state import clip_shape, decoder_size, depth, heads, needed
from toolkit.models.transformer.targets import VideoTarget
from toolkit.models.transformer.tokenizer import VideoTokenizer
from toolkit.models.transformer.video_fine_tuning import VideoFineTuning
from toolkit.models.transformer.video_pretraining import VideoPretraining

TUBES = Tube(0.9)

Context = Literal["bottleneck", "release"]
Upsample = Literal["nearest", "release"]


class SvfapEncoder(Tpsbt):
    """The encoder of pretraining: the sum of all stages, each brought to the time scale of the first.

    Args:
        size: of the network
        context: as in `SvfapPretraining`
        upsample: as in `SvfapPretraining`
    """

    def __init__(self, size: TpsbtSize, context: Context, upsample: Upsample) -> None:
        super().__init__()
        self.context, self.upsample = context, upsample
        self.steps, self.factor = size.shape.grid[0], size.factor
        self.patch_embed = VideoTokenizer(size.shape, size.dim)
        self.register_buffer("positions", sinusoids(size.shape.tokens, size.dim), persistent=False)
        self.add_stages(size)
        self.norm = layer_norm(size.dim)
        xavier(self)

    def forward(self, video: Tensor, split: Split) -> Tensor:
        """Returns ``(batch, visible, dim)``.

        Args:
            video: ``(batch, channels, frames, size, size)``
            split: the tokens seen, at the same sites of every step of time, and those hidden
        """
        context = self.patch_embed(video) + self.positions if self.context == "release" else None
        if context is None:
            seen = self.patch_embed(video, split.visible) + self.positions[split.visible]
        else:
            seen = taken(context, split.visible)
        stages = self.stages(seen.unflatten(1, (self.steps, -1)), context)
        return self.norm(sum(self._upsampled(stage) for stage in stages).flatten(1, 2))

    def _upsampled(self, stage: Tensor) -> Tensor:
        """Maps ``(batch, fewer steps, sites, dim)`` to ``(batch, steps, sites, dim)``."""
        _, steps, sites, _ = stage.shape
        if steps == self.steps:
            return stage
        if self.upsample == "nearest":
            return stage.repeat_interleave(self.steps // steps, dim=1)
        chunks = stage.flatten(1, 2).unflatten(1, (-1, sites // self.factor))
        return chunks.repeat_interleave(self.steps // steps, dim=1).flatten(1, 2).unflatten(1, (self.steps, sites))


class SvfapPretraining(VideoPretraining):
    """Rebuilds the pixels of tubes through a clip.

    The released code departs from the published equations in two places, and by their cost from what the authors ran.
    For each there is an option, whose "release" is for measuring beside that code.

    Args:
        size: of the network
        context: reverse blocks read the bottleneck tokens; with "release" the tokens of the whole clip as they enter
            the encoder, hidden ones too, so that what is to be predicted leaks in and bottlenecks learn nothing
        upsample: each step of a later stage is repeated; with "release" each of the chunks that are had by cutting
            all its tokens, step by step, into pieces of ``sites / size.factor``
        mask: how tokens are hidden, at the same sites of every step

    Raises:
        ValueError: the stages do not fit each other or the clip
    """

    def __init__(
        self,
        size: TpsbtSize,
        *,
        context: Context = "bottleneck",
        upsample: Upsample = "nearest",
        mask: Mask = TUBES,
    ) -> None:
        encoder = SvfapEncoder(size, context, upsample)
        super().__init__(encoder, size.dim, size.shape, size.decoder, mask=mask, target=VideoTarget(size.shape))


class SvfapFineTuning(Tpsbt, VideoFineTuning):
    """Reads whole clips; features are of the last stage, whose steps are of eight pictures in the published sizes.

    Args:
        size: of the network
        outputs: classes or values, 0 for features alone
        drop_path: probability of leaving out a branch of the last block while training
        activation: of the outputs

    Raises:
        ValueError: the stages do not fit each other or the clip
    """

    def __init__(
        self,
        size: TpsbtSize,
        outputs: int = 0,
        *,
        drop_path: float = 0.0,
        activation: Activation | None = None,
    ) -> None:
        VideoFineTuning.__init__(self, size.shape, size.dim, sum(size.depths), outputs, activation=activation)
        self.add_stages(size, drop_path=drop_path)
        self.begin()

    def steps(self, video: Tensor) -> Tensor:
        """Returns the mean of the last stage's tokens at each of its steps, ``(batch, steps, dim)``."""
        tokens = self.embedded(video).unflatten(1, (self.shape.grid[0], -1))
        *_, last = self.stages(tokens)
        return last.mean(dim=2)

    def pooled(self, video: Tensor) -> Tensor:
        """Returns the mean of the last stage's tokens, ``(batch, dim)``."""
        return self.steps(video).mean(dim=1)


@autoencoders.add("svfap")
class Svfap(Family):
    """SVFAP; the small size has the decoder of the base size, its own is not published."""

    sizes = {  # noqa: RUF012
        "base": TpsbtSize(),
        "small": TpsbtSize(dim=384, depths=(8, 4, 2), heads=6),
        "tiny-test": TpsbtSize(
            ClipShape(64), dim=64, depths=(2, 2, 1), bottlenecks=(2, 2), heads=1, decoder=DecoderSize(64, 1, 1)
        ),
    }
    pretraining = SvfapPretraining
    fine_tuning = SvfapFineTuning

    @classmethod
    def size_of(cls, state: Mapping[str, Tensor]) -> TpsbtSize:
        """Returns the size of the network whose tensors these are, of either form.

        Which stage the blocks with a context are of is not stored: ``depths`` are those of a published size with as
        many, and empty where there is none.

        Raises:
            UserError: the tensors are not of this family
        """
        encoder = cls.for_fine_tuning(state)
        tokenizer = needed(encoder, "patch_embed.proj.weight", "svfap")
        temporal = needed(encoder, "temporal_downsamples.0.weight", "svfap")
        dim, blocks = len(tokenizer), depth(encoder)
        reading = sum(bool(re.fullmatch(r"blocks\.\d+\.cross_attn\.q_bias", name)) for name in encoder)
        spatial = re.compile(r"spatial_downsamples\.\d+\.mlp\.fc2\.bias")
        bottlenecks = tuple(len(encoder[name]) for name in sorted(filter(spatial.fullmatch, encoder)))
        # What learned factors were at first is lost, and matters no more.
        layer_scale = 0.1 if "blocks.0.gamma_1" in encoder else 0.0
        return TpsbtSize(
            clip_shape(tokenizer),
            dim,
            cls._depths(blocks - reading, reading, len(bottlenecks) + 1),
            bottlenecks,
            heads(dim),
            temporal.shape[2],
            layer_scale,
            decoder_size(state)._replace(layer_scale=layer_scale),
        )

    @classmethod
    def _depths(cls, first: int, others: int, stages: int) -> tuple[int, ...]:
        found = (size.depths for size in cls.sizes.values() if len(size.depths) == stages)
        return next((depths for depths in found if (depths[0], sum(depths[1:])) == (first, others)), ())

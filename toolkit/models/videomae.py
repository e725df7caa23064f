"""VideoMAE: a plain transformer over the space and time of a video (Tong, Song, Wang, Wang 2022, NeurIPS)."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from toolkit.models.masked_autoencoder import Family, autoencoders
from toolkit.models.transformer.block import Block, layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.drop_path import drop_rates
from toolkit.models.transformer.head import Activation
from toolkit.models.transformer.initial import xavier
from toolkit.models.transformer.masks import Mask, Split, Tube
from toolkit.models.transformer.positions import sinusoids
from toolkit.models.transformer.state import clip_shape, decoder_size, depth, heads, needed
from toolkit.models.transformer.targets import VideoTarget
from toolkit.models.transformer.tokenizer import VideoTokenizer
from toolkit.models.transformer.video_fine_tuning import VideoFineTuning
from toolkit.models.transformer.video_pretraining import VideoPretraining


class VideoMaeSize(NamedTuple):
    """Sizes of a network; the standard ones are those of the base model for pictures of 160 pixels.

    Attributes:
        shape: of the clips
        dim: width of a token
        depth: number of blocks
        heads: attention heads
        decoder: sizes of the decoder
    """

    shape: ClipShape = ClipShape()
    dim: int = 768
    depth: int = 12
    heads: int = 12
    decoder: DecoderSize = DecoderSize()


class VideoMaeEncoder(nn.Module):
    """Blocks over the tokens that are seen.

    Args:
        size: of the network
    """

    def __init__(self, size: VideoMaeSize) -> None:
        super().__init__()
        self.patch_embed = VideoTokenizer(size.shape, size.dim)
        self.register_buffer("positions", sinusoids(size.shape.tokens, size.dim), persistent=False)
        self.blocks = nn.ModuleList(Block(size.dim, size.heads) for _ in range(size.depth))
        self.norm = layer_norm(size.dim)
        xavier(self)

    def forward(self, video: Tensor, split: Split) -> Tensor:
        """Returns the tokens seen, normalised, ``(batch, visible, dim)``."""
        tokens = self.patch_embed(video, split.visible) + self.positions[split.visible]
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)


class VideoMaePretraining(VideoPretraining):
    """VideoMAE as it learns from video alone.

    Args:
        size: of the network
        mask: how tokens are hidden
        target: what is predicted of them, the pixels as they are if None
    """

    def __init__(self, size: VideoMaeSize, *, mask: Mask = Tube(), target: VideoTarget | None = None) -> None:  # noqa: B008
        target = target or VideoTarget(size.shape)
        super().__init__(VideoMaeEncoder(size), size.dim, size.shape, size.decoder, mask=mask, target=target)


class VideoMaeFineTuning(VideoFineTuning):
    """VideoMAE as it reads whole clips.

    Args:
        size: of the network
        outputs: classes or values, 0 for features alone
        drop_path: probability of leaving out a branch of the last block while training
        activation: of the outputs
        per_picture: outputs for every picture, see `VideoFineTuning`
        norm_tokens: normalise each token (``norm``) instead of their mean (``fc_norm``), as the script of MER2024 does
    """

    def __init__(
        self,
        size: VideoMaeSize,
        outputs: int = 0,
        *,
        drop_path: float = 0.0,
        activation: Activation | None = None,
        per_picture: bool = False,
        norm_tokens: bool = False,
    ) -> None:
        super().__init__(size.shape, size.dim, size.depth, outputs, activation=activation, per_picture=per_picture)
        self.blocks = nn.ModuleList(
            Block(size.dim, size.heads, drop_path=rate) for rate in drop_rates(drop_path, size.depth)
        )
        self.norm_tokens = norm_tokens
        self.norm = layer_norm(size.dim) if norm_tokens else nn.Identity()
        if norm_tokens:
            self.fc_norm = nn.Identity()
        self.begin()

    def tokens(self, video: Tensor) -> Tensor:
        """Returns the last block's tokens, ``(batch, tokens, dim)``, those of the first step first, row by row."""
        tokens = self.embedded(video)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def pooled(self, video: Tensor) -> Tensor:
        """Returns the mean over all tokens, ``(batch, dim)``."""
        return self.tokens(video).mean(dim=1)

    def steps(self, video: Tensor) -> Tensor:
        """Returns the mean over the picture at each step of time, ``(batch, steps, dim)``."""
        return self.tokens(video).unflatten(1, (self.shape.grid[0], -1)).mean(dim=2)


@autoencoders.add("videomae")
class VideoMae(Family):
    """VideoMAE, the common ground of the others."""

    sizes: ClassVar = {
        "base": VideoMaeSize(),
        # Nobody published it: one that learns within minutes. The positions of few tokens are told apart soon.
        "tiny": VideoMaeSize(ClipShape(64, tubelet=16), 128, 4, 2, DecoderSize(128, 2, 2)),
        "tiny-test": VideoMaeSize(ClipShape(64), dim=64, depth=2, heads=1, decoder=DecoderSize(64, 1, 1)),
    }
    pretraining = VideoMaePretraining
    fine_tuning = VideoMaeFineTuning

    @classmethod
    def size_of(cls, state: Mapping[str, Tensor]) -> VideoMaeSize:
        """Returns the size of the network whose tensors these are, of either form.

        Raises:
            UserError: the tensors are not of this family
        """
        encoder = cls.for_fine_tuning(state)
        tokenizer = needed(encoder, "patch_embed.proj.weight", "videomae")
        needed(encoder, "blocks.0.attn.qkv.weight", "videomae")
        dim = len(tokenizer)
        return VideoMaeSize(clip_shape(tokenizer), dim, depth(encoder), heads(dim), decoder_size(state))

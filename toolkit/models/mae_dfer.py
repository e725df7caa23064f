"""MAE-DFER: a masked autoencoder of faces whose attention is local and global in turn.

Sun, Lian, Liu, Tao 2023, ACM Multimedia, arXiv 2307.02227.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from toolkit.models.local_global import LocalGlobalBlock, Partition, Stages, through
from toolkit.models.masked_autoencoder import Family, autoencoders
from toolkit.models.transformer.block import layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.drop_path import drop_rates
from toolkit.models.transformer.head import Activation
from toolkit.models.transformer.initial import learned_token, xavier
from toolkit.models.transformer.masks import Mask, Split, Windows
from toolkit.models.transformer.positions import sinusoids
from toolkit.models.transformer.state import clip_shape, decoder_size, depth, heads, needed
from toolkit.models.transformer.targets import VideoTarget
from toolkit.models.transformer.tokenizer import VideoTokenizer
from toolkit.models.transformer.video_fine_tuning import VideoFineTuning
from toolkit.models.transformer.video_pretraining import VideoPretraining

Order = Literal["time", "release"]


class MaeDferSize(NamedTuple):
    """Sizes of a network; the standard ones are those of the base model.

    Attributes:
        shape: of the clips
        dim: width of a token
        depth: number of blocks
        heads: attention heads
        region: tokens of a region along time, height and width
        stages: which attention layers a block has
        decoder: sizes of the decoder
    """

    shape: ClipShape = ClipShape()
    dim: int = 512
    depth: int = 16
    heads: int = 8
    region: tuple[int, int, int] = (2, 5, 10)
    stages: Stages = Stages()
    decoder: DecoderSize = DecoderSize()

    @property
    def partition(self) -> Partition:
        """How tokens are cut into regions."""
        return Partition.of(self.shape.grid, self.region)

    def blocks(self, drop_path: float = 0.0) -> nn.ModuleList:
        """Returns new blocks, the last of which leaves out branches with the probability given."""
        rates = drop_rates(drop_path, self.depth)
        return nn.ModuleList(LocalGlobalBlock(self.dim, self.heads, self.stages, drop_path=rate) for rate in rates)


class MaeDferEncoder(nn.Module):
    """Blocks over the tokens that are seen, dealt out to their regions.

    Args:
        size: of the network
        order: see `MaeDferPretraining`
    """

    def __init__(self, size: MaeDferSize, order: Order) -> None:
        super().__init__()
        self.partition, self.order = size.partition, order
        self.lg_region_tokens = learned_token(self.partition.regions, size.dim)
        self.patch_embed = VideoTokenizer(size.shape, size.dim)
        self.register_buffer("positions", sinusoids(size.shape.tokens, size.dim), persistent=False)
        self.blocks = size.blocks()
        self.norm = layer_norm(size.dim)
        xavier(self)

    def forward(self, video: Tensor, split: Split) -> Tensor:
        """Returns the tokens seen, normalised, ``(batch, visible, dim)``."""
        tokens = self.patch_embed(video, split.visible) + self.positions[split.visible]
        partition = self.partition.of_visible(tokens.shape[1])
        local = through(self.blocks, self.lg_region_tokens, partition.cut(tokens))[:, :, 1:]
        return self.norm(partition.joined(local) if self.order == "time" else local.flatten(1, 2))


class MaeDferPretraining(VideoPretraining):
    """MAE-DFER as it learns from video alone.

    Args:
        size: of the network
        mask: how tokens are hidden, by windows of a region's height if None
        target: what is predicted of them, pixels and how they change from one picture to the next if None
        order: the decoder gets the tokens seen in the order of "time", each with its own position; with "release",
            as in the authors' code, region by region, the positions being in the order of time all the same
    """

    def __init__(
        self, size: MaeDferSize, *, mask: Mask | None = None, target: VideoTarget | None = None, order: Order = "time"
    ) -> None:
        mask = mask or Windows(rows=size.region[1])
        target = target or VideoTarget(size.shape, difference_group=2)
        super().__init__(MaeDferEncoder(size, order), size.dim, size.shape, size.decoder, mask=mask, target=target)

    def decays(self, name: str, parameter: Tensor) -> bool:
        """Whether weight decay acts on a parameter: not on representatives, either."""
        return super().decays(name, parameter) and not name.endswith("lg_region_tokens")


class MaeDferFineTuning(VideoFineTuning):
    """MAE-DFER as it reads whole clips.

    With the mean over "representatives" the third attention of the last block has no part in the outputs, and its
    gradients are zero.

    Args:
        size: of the network
        outputs: classes or values, 0 for features alone
        drop_path: probability of leaving out a branch of the last block while training
        activation: of the outputs
        mean_of: which tokens the mean is of that features are made of
        per_picture: outputs for every picture, from "local" tokens
        order: tokens are brought into the order of "time" before means over the picture are taken; with "release", as
            in the authors' code, they stay region by region, and the steps of time are not what they are called

    Raises:
        ValueError: outputs for every picture of other than "local" tokens
    """

    undecayed = frozenset({"lg_region_tokens"})

    def __init__(
        self,
        size: MaeDferSize,
        outputs: int = 0,
        *,
        drop_path: float = 0.0,
        activation: Activation | None = None,
        mean_of: Literal["representatives", "local", "all"] = "representatives",
        per_picture: bool = False,
        order: Order = "time",
    ) -> None:
        super().__init__(size.shape, size.dim, size.depth, outputs, activation=activation, per_picture=per_picture)
        if per_picture and mean_of != "local":
            raise ValueError(f"outputs for every picture are made of 'local' tokens, not of {mean_of!r}")
        self.partition, self.mean_of, self.order = size.partition, mean_of, order
        self.lg_region_tokens = learned_token(self.partition.regions, size.dim)
        self.blocks = size.blocks(drop_path)
        self.begin()

    def tokens(self, video: Tensor) -> Tensor:
        """Returns the last block's tokens, ``(batch, regions, 1 + tokens of a region, dim)``."""
        return through(self.blocks, self.lg_region_tokens, self.partition.cut(self.embedded(video)))

    def pooled(self, video: Tensor) -> Tensor:
        """Returns the mean over the tokens asked for, ``(batch, dim)``."""
        tokens = self.tokens(video)
        chosen = {"representatives": tokens[:, :, :1], "local": tokens[:, :, 1:], "all": tokens}[self.mean_of]
        return chosen.flatten(1, 2).mean(dim=1)

    def steps(self, video: Tensor) -> Tensor:
        """Returns the mean of local tokens over the picture at each step of time, ``(batch, steps, dim)``."""
        local = self.tokens(video)[:, :, 1:]
        tokens = self.partition.joined(local) if self.order == "time" else local.flatten(1, 2)
        return tokens.unflatten(1, (self.shape.grid[0], -1)).mean(dim=2)


@autoencoders.add("mae-dfer")
class MaeDfer(Family):
    """MAE-DFER."""

    sizes: ClassVar = {
        "base": MaeDferSize(),
        "tiny-test": MaeDferSize(ClipShape(64), 64, 2, 1, region=(2, 2, 4), decoder=DecoderSize(64, 1, 1)),
    }
    pretraining = MaeDferPretraining
    fine_tuning = MaeDferFineTuning

    @classmethod
    def size_of(cls, state: Mapping[str, Tensor]) -> MaeDferSize:
        """Returns the size of the network whose tensors these are, of either form.

        Raises:
            UserError: the tensors are not of this family
        """
        encoder = cls.for_fine_tuning(state)
        tokenizer = needed(encoder, "patch_embed.proj.weight", "mae-dfer")
        needed(encoder, "blocks.0.first_attn.proj.weight", "mae-dfer")
        dim = len(tokenizer)
        return MaeDferSize(
            clip_shape(tokenizer),
            dim,
            depth(encoder),
            heads(dim),
            stages=Stages.of(encoder),
            decoder=decoder_size(state),
        )

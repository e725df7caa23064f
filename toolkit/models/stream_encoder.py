"""An encoder of one stream, pictures or sound, every layer of which is of use."""

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn

from toolkit.models.transformer.block import Block, layer_norm
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.drop_path import drop_rates
from toolkit.models.transformer.positions import sinusoids
from toolkit.models.transformer.spectrogram import SpectrogramShape, SpectrogramTokenizer
from toolkit.models.transformer.tokenizer import VideoTokenizer


class StreamSize(NamedTuple):
    """Sizes of the encoder and decoder of a stream; the standard ones are those of HiCMAE's base model.

    Attributes:
        dim: width of a token
        depth: number of blocks
        heads: attention heads
        decoder: sizes of the decoder
    """

    dim: int = 512
    depth: int = 10
    heads: int = 8
    decoder: DecoderSize = DecoderSize()


class StreamEncoder(nn.Module):
    """Tokens of a clip or a spectrogram, and blocks over them.

    Args:
        shape: of what is read, which also says what kind it is
        size: of the encoder
        drop_path: probability of leaving out a branch of the last block while training
    """

    def __init__(self, shape: ClipShape | SpectrogramShape, size: StreamSize, drop_path: float = 0.0) -> None:
        super().__init__()
        tokenizer = VideoTokenizer if isinstance(shape, ClipShape) else SpectrogramTokenizer
        self.patch_embed = tokenizer(shape, size.dim)
        self.register_buffer("positions", sinusoids(shape.tokens, size.dim), persistent=False)
        self.blocks = nn.ModuleList(
            Block(size.dim, size.heads, drop_path=rate) for rate in drop_rates(drop_path, size.depth)
        )
        self.norm = layer_norm(size.dim)

    def layers(self, inputs: Tensor, visible: Tensor | None = None) -> Iterator[Tensor]:
        """Yields the tokens after each block, ``(batch, tokens, dim)``, not normalised.

        Whatever is done with the tokens of any block, the one ``norm`` normalises them first.

        Args:
            inputs: what the tokenizer reads
            visible: ``(batch, visible)`` indices of the tokens that are seen, all of them if None
        """
        positions = self.positions if visible is None else self.positions[visible]
        tokens = self.patch_embed(inputs, visible) + positions
        for block in self.blocks:
            tokens = block(tokens)
            yield tokens

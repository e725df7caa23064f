"""The sizes of a HiCMAE."""

from typing import NamedTuple

from toolkit.models.stream_encoder import StreamSize
from toolkit.models.stream_fusion import StreamFusion
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.spectrogram import SpectrogramShape


class HicmaeSize(NamedTuple):
    """Sizes of a network; the standard ones are those of the base model.

    Attributes:
        shape: of the clips
        spectrogram: its shape
        video: sizes of what sees
        audio: sizes of what hears
        fusion_depth: pairs of blocks in which the two read each other
        fusion_heads: attention heads of those
        taps: blocks, from 0, whose tokens are contrasted and are what the decoders' blocks after the first read
    """

    shape: ClipShape = ClipShape()
    spectrogram: SpectrogramShape = SpectrogramShape()
    video: StreamSize = StreamSize()
    audio: StreamSize = StreamSize()
    fusion_depth: int = 2
    fusion_heads: int = 8
    taps: tuple[int, ...] = (3, 6, 9)

    def fusion(self, drop_path: float = 0.0) -> StreamFusion:
        """Returns a new fusion, the last of whose blocks leave out branches with the probability given."""
        return StreamFusion(self.video.dim, self.audio.dim, self.fusion_depth, self.fusion_heads, drop_path)

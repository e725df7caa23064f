"""Fusion of pictures and sound that read each other."""

from torch import Tensor, nn

from toolkit.models.transformer.block import CrossSelfBlock, layer_norm
from toolkit.models.transformer.drop_path import drop_rates


class StreamFusion(nn.Module):
    """Blocks in pairs: of each pair, one reads the sound for the pictures, the other the pictures for the sound.

    Both read what the pair before made of the other stream, not what its companion is making of it.

    Args:
        dim: width of the pictures' tokens
        audio_dim: width of the sound's tokens
        depth: number of pairs
        heads: attention heads of each block
        drop_path: probability of leaving out a branch of the last pair while training
    """

    def __init__(self, dim: int, audio_dim: int, depth: int, heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        rates = drop_rates(drop_path, depth)
        self.blocks = nn.ModuleList(CrossSelfBlock(dim, heads, context_dim=audio_dim, drop_path=rate) for rate in rates)
        self.blocks_audio = nn.ModuleList(
            CrossSelfBlock(audio_dim, heads, context_dim=dim, drop_path=rate) for rate in rates
        )
        self.norm = layer_norm(dim)
        self.norm_audio = layer_norm(audio_dim)

    def forward(self, video: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Returns both streams, normalised, in the shapes they came in: ``(batch, tokens, dim)`` each."""
        for seeing, hearing in zip(self.blocks, self.blocks_audio, strict=True):
            video, audio = seeing(video, audio), hearing(audio, video)
        return self.norm(video), self.norm_audio(audio)

"""VideoMAE: a plain transformer over the space and time of a video (Tong, Song, Wang, Wang 2022, NeurIPS)."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6  # of all layer normalisations


def sinusoids(positions: int, dim: int) -> Tensor:
    """Returns the code of each position, ``(positions, dim)`` float32: sines in even columns, cosines in odd ones.

    Wave lengths rise geometrically from 2 pi to 10000 times that (Vaswani et al. 2017), two columns for each.
    """
    columns = np.arange(dim)
    angles = np.arange(positions)[:, None] / 10000 ** (2 * (columns // 2) / dim)
    return torch.from_numpy(np.where(columns % 2, np.cos(angles), np.sin(angles)).astype(np.float32))


class PatchEmbedding(nn.Module):
    """One token for each tubelet: a square of pixels over a few frames.

    Args:
        dim: width of a token
        patch: side of the square in pixels
        tubelet: number of frames
        channels: numbers per pixel
    """

    def __init__(self, dim: int, *, patch: int, tubelet: int, channels: int) -> None:
        super().__init__()
        size = (tubelet, patch, patch)
        self.proj = nn.Conv3d(channels, dim, kernel_size=size, stride=size)

    def forward(self, video: Tensor) -> Tensor:
        """Maps ``(batch, channels, time, height, width)`` to ``(batch, tokens, dim)``, first frames and rows first."""
        return self.proj(video).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention whose queries and values have a bias and whose keys have none.

    Args:
        dim: width of a token
        heads: number of heads, a divisor of ``dim``
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to the same shape."""
        bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        projected = functional.linear(tokens, self.qkv.weight, bias)
        query, key, value = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, heads, N, d)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two layers with a Gaussian error linear unit between them.

    Args:
        dim: width of a token
        hidden: width between the layers
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(..., dim)`` to the same shape."""
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """Attention and feed-forward layers, each normalised before and added to what it reads.

    Args:
        dim: width of a token
        heads: attention heads
        expansion: width of the feed-forward layer, in units of ``dim``
    """

    def __init__(self, dim: int, heads: int, expansion: float = 4.0) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPSILON)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=EPSILON)
        self.mlp = FeedForward(dim, int(expansion * dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps ``(batch, tokens, dim)`` to the same shape."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class VideoMae(nn.Module):
    """The encoder of VideoMAE, with or without a classifier; tensors are named as its authors name them.

    Args:
        size: height and width of a frame in pixels
        frames: length of a video
        channels: numbers per pixel
        patch: side of a patch in pixels
        tubelet: frames of one token
        dim: width of a token
        depth: number of blocks
        heads: attention heads
        expansion: width of the feed-forward layers, in units of ``dim``
        classes: outputs of the classifier, 0 for none
        norm_after_mean: normalise the mean of the tokens (the authors' ``use_mean_pooling``) instead of each token
    """

    def __init__(
        self,
        *,
        size: int = 224,
        frames: int = 16,
        channels: int = 3,
        patch: int = 16,
        tubelet: int = 2,
        dim: int = 768,
        depth: int = 12,
        heads: int = 12,
        expansion: float = 4.0,
        classes: int = 0,
        norm_after_mean: bool = False,
    ) -> None:
        super().__init__()
        self.frames, self.tubelet = frames, tubelet
        self.patch_embed = PatchEmbedding(dim, patch=patch, tubelet=tubelet, channels=channels)
        positions = sinusoids((frames // tubelet) * (size // patch) ** 2, dim)
        self.register_buffer("positions", positions, persistent=False)
        self.blocks = nn.ModuleList(Block(dim, heads, expansion) for _ in range(depth))
        norm = nn.LayerNorm(dim, eps=EPSILON)
        self.norm, self.fc_norm = (None, norm) if norm_after_mean else (norm, None)
        self.head = nn.Linear(dim, classes) if classes else None

    def tokens(self, video: Tensor) -> Tensor:
        """Returns the last block's tokens, normalised unless that comes after their mean.

        Args:
            video: ``(batch, channels, time, height, width)``

        Returns:
            ``(batch, tokens, dim)``, those of the first tubelet of frames first, row by row
        """
        tokens = self.patch_embed(video) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        return tokens if self.norm is None else self.norm(tokens)

    def features(self, video: Tensor) -> Tensor:
        """Maps ``(batch, channels, time, height, width)`` to the mean over tokens, ``(batch, dim)``."""
        mean = self.tokens(video).mean(dim=1)
        return mean if self.fc_norm is None else self.fc_norm(mean)

    def forward(self, video: Tensor) -> Tensor:
        """Returns the logits ``(batch, classes)``, without classes the features; ``video`` as in `tokens`."""
        features = self.features(video)
        return features if self.head is None else self.head(features)

"""Tokens of a video."""

import torch

from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.tokenizer import VideoTokenizer

SHAPE = ClipShape(size=8, frames=4, patch=4)


def test_the_product_is_the_convolution():
    tokenizer, video = VideoTokenizer(SHAPE, 5), torch.randn(2, 3, 4, 8, 8)
    torch.testing.assert_close(tokenizer(video), tokenizer.proj(video).flatten(2).transpose(1, 2))


def test_only_those_wanted():
    tokenizer, video = VideoTokenizer(SHAPE, 5), torch.randn(2, 3, 4, 8, 8)
    chosen = torch.tensor([[7, 0, 3], [1, 2, 6]])
    everything = tokenizer(video)
    torch.testing.assert_close(tokenizer(video, chosen), torch.stack([everything[i, chosen[i]] for i in range(2)]))


def test_pictures_come_in_order():
    tokenizer, video = VideoTokenizer(SHAPE, 5), torch.zeros(1, 3, 4, 8, 8)
    still = tokenizer(video)
    video[:, :, 2:, 4:, :4] = 1  # second pair of pictures, lower left
    changed = (tokenizer(video) - still).abs().amax(dim=2)[0] > 0
    assert changed.nonzero().flatten().tolist() == [6]

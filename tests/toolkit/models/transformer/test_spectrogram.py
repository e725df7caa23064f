"""Spectrograms cut into squares and made tokens of."""

import pytest
import torch

from toolkit.models.transformer.spectrogram import SpectrogramShape, SpectrogramTokenizer
from toolkit.models.transformer.targets import spectrogram_target

SHAPE = SpectrogramShape(frames=6, bands=4, patch=2)


def test_squares_by_hand():
    audio = torch.arange(24.0).view(1, 1, 6, 4)  # a row is a frame
    patches = SHAPE.patches(audio)
    assert patches.shape == (1, 6, 4)
    assert patches[0, 0].tolist() == [0, 1, 4, 5]
    assert patches[0, 1].tolist() == [2, 3, 6, 7]
    assert patches[0, 4].tolist() == [16, 17, 20, 21]
    assert torch.equal(SHAPE.audio(patches), audio)


def test_sizes_of_the_published_networks():
    shape = SpectrogramShape()
    assert (shape.grid, shape.tokens, shape.numbers) == ((16, 8), 128, 256)


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 4, 6\) where one of \(1, 6, 4\) was expected"):
        SHAPE.patches(torch.zeros(1, 1, 4, 6))


def test_tokens_are_those_of_the_convolution():
    torch.manual_seed(0)
    tokenizer, audio = SpectrogramTokenizer(SHAPE, 5), torch.randn(2, 1, 6, 4)
    expected = tokenizer.proj(audio).flatten(2).transpose(1, 2)
    torch.testing.assert_close(tokenizer(audio), expected)
    chosen = torch.tensor([[5, 0], [2, 3]])
    torch.testing.assert_close(tokenizer(audio, chosen), torch.stack([expected[0, [5, 0]], expected[1, [2, 3]]]))


def test_right_predictions_rebuild_the_spectrogram():
    torch.manual_seed(0)
    audio, masked = torch.randn(2, 1, 6, 4), torch.tensor([[1, 3], [0, 5]])
    squares = SHAPE.patches(audio).take_along_dim(masked[..., None], dim=1)
    torch.testing.assert_close(SHAPE.rebuilt(audio, masked, spectrogram_target(squares)), audio)
    means = SHAPE.patches(SHAPE.rebuilt(audio, masked, torch.zeros(2, 2, 4)))  # predicting zero is predicting the mean
    torch.testing.assert_close(means[0, 1], squares[0, 0].mean().expand(4))
    torch.testing.assert_close(means[0, 2], SHAPE.patches(audio)[0, 2])

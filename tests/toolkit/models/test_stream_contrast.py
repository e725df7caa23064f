"""Contrast, by hand."""

import math

import pytest
import torch

from toolkit.models.stream_contrast import contrast, similarities


def test_cosines_of_means():
    video = torch.tensor([[[2.0, 0.0], [4.0, 0.0]], [[0.0, 1.0], [0.0, 3.0]]])
    audio = torch.tensor([[[5.0, 5.0]], [[0.0, -7.0]]])
    expected = torch.tensor([[0.5**0.5, 0.0], [0.5**0.5, -1.0]]) / 0.5
    torch.testing.assert_close(similarities(video, audio, 0.5), expected)


def test_loss_by_hand():
    """Cosines of 1 for a pair and 0 for others: each row costs log(1 + e^-2) at a temperature of a half."""
    same = torch.eye(2)[:, None]
    one = math.log(1 + math.exp(-2))
    assert contrast([(same, same)], 0.5).item() == pytest.approx(one, rel=1e-6)
    wrong = same.flip(0)
    assert contrast([(same, same), (same, wrong)], 0.5).item() == pytest.approx(one + (2 + one), rel=1e-6)


def test_both_ways_count():
    """Rows find their own perfectly; the columns do not, as one sound is like both pictures."""
    video = torch.tensor([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])
    audio = torch.tensor([[[1.0, 0.0, 0.0]], [[0.6, 0.8, 0.0]]])
    rows = (math.log(1 + math.exp(-0.4)) + math.log(1 + math.exp(-0.8))) / 2
    columns = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(-0.2))) / 2
    assert contrast([(video, audio)], 1.0).item() == pytest.approx((rows + columns) / 2, rel=1e-6)


def test_precision_around_it_does_not_matter():
    random = torch.Generator().manual_seed(0)
    video, audio = (torch.randn(4, 3, 16, generator=random) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        inside = similarities(video, audio, 0.07)
    torch.testing.assert_close(inside, similarities(video, audio, 0.07), rtol=0, atol=0)

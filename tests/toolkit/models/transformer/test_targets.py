"""Targets by hand; those of the reference are in the vectors of each network."""

import pytest
import torch

from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.targets import VideoTarget, shown, spectrogram_target

SHAPE = ClipShape(size=4, frames=4, patch=2)
EVERY = torch.arange(8).expand(2, 8)


@pytest.fixture
def video() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2, 3, 4, 4, 4) * 0.5


def by_hand(video, clip, step, row, column) -> torch.Tensor:
    """One tubelet, colours last and each normalised: ``(2, 2, 2, 3)``."""
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    part = video[clip, :, 2 * step : 2 * step + 2, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    pixels = part.permute(1, 2, 3, 0) * deviation + mean
    numbers = pixels.reshape(8, 3)
    return (pixels - numbers.mean(0)) / (numbers.std(0, unbiased=True) + 1e-6)


def test_pixels_are_normalised_by_tubelet_and_colour(video):
    target = VideoTarget(SHAPE)(video, torch.tensor([[0, 6], [3, 5]]))
    assert target.shape == (2, 2, 24)
    torch.testing.assert_close(target[0, 1], by_hand(video, 0, 1, 1, 0).flatten())
    torch.testing.assert_close(target[1, 0], by_hand(video, 1, 0, 1, 1).flatten())


def test_a_tubelet_of_one_colour():
    """The deviation is zero there, and what is added to it keeps numbers finite."""
    assert torch.equal(VideoTarget(SHAPE)(torch.zeros(2, 3, 4, 4, 4), EVERY).abs().max(), torch.tensor(0.0))


def test_the_second_half_is_motion(video):
    target = VideoTarget(SHAPE, difference_group=2)(video, EVERY)
    plain = by_hand(video, 1, 0, 1, 0)
    torch.testing.assert_close(target[1, 2], torch.stack([plain[0], plain[1] - plain[0]]).flatten())


def test_groups_longer_than_a_tubelet(video):
    target = VideoTarget(SHAPE, difference_group=4)(video, EVERY)
    first, later = by_hand(video, 1, 0, 1, 0), by_hand(video, 1, 1, 1, 0)
    torch.testing.assert_close(target[1, 2], torch.stack([first[0], first[1] - first[0]]).flatten())
    torch.testing.assert_close(target[1, 6], (later - first[0]).flatten())


def test_losses():
    target = torch.zeros(1, 2, 4)
    predicted = torch.tensor([[[1.0, 1.0, 3.0, 3.0], [1.0, 1.0, 0.0, 0.0]]])
    assert VideoTarget(SHAPE).loss(predicted, target).item() == pytest.approx(22 / 8)
    weighted = VideoTarget(SHAPE, 2, 0.25).loss(predicted, target)
    assert weighted.item() == pytest.approx(0.75 * 1 + 0.25 * 18 / 4)
    assert VideoTarget(SHAPE).loss(predicted.bfloat16(), target).dtype == torch.float32


@pytest.mark.parametrize("group", [None, 2, 4])
def test_a_clip_is_rebuilt_from_what_is_to_be_predicted(video, group):
    target = VideoTarget(SHAPE, group)
    masked = torch.tensor([[0, 2, 4, 6], [1, 3, 5, 7]])
    pixels = shown(video).clamp(0, 1)
    torch.testing.assert_close(target.rebuilt(video, masked, target(video, masked)), pixels, rtol=0, atol=1e-6)
    grey = target.rebuilt(video, masked, torch.zeros(2, 4, 24))
    assert torch.equal((grey - pixels).abs().amax(dim=(1, 2, 3))[0] > 1e-3, torch.tensor([True, True, False, False]))
    seen = shown(video)[0, :, :2, :2, :2]
    torch.testing.assert_close(
        grey[0, :, 0, :2, :2], seen.mean(dim=(1, 2, 3))[:, None, None].expand(3, 2, 2).clamp(0, 1)
    )


def test_patches_of_a_spectrogram():
    patches = torch.randn(2, 3, 16) * 5 + 2
    ours = spectrogram_target(patches)
    expected = (patches[1, 2] - patches[1, 2].mean()) / (patches[1, 2].std() + 1e-6)
    torch.testing.assert_close(ours[1, 2], expected)

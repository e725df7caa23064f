"""What is to be predicted of the hidden tubelets, and how far predictions are from it."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from toolkit.models.transfer import sent
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.masks import taken

EPSILON = 1e-6  # added to deviations, of pixels in [0, 1] and of spectrograms
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VideoTarget(NamedTuple):
    """The pixels of each tubelet, normalised per colour; of pictures after the first of a group, what has changed.

    Attributes:
        shape: of the clip
        difference_group: pictures of a group, of which the first is predicted as it is and the others as their
            difference from it (MAE-DFER, HiCMAE: 2); None to predict all as they are
        difference_weight: share in the loss of the second half of a tubelet, in which its motion is; if None all
            numbers count the same
    """

    shape: ClipShape
    difference_group: int | None = None
    difference_weight: float | None = None

    def __call__(self, video: Tensor, masked: Tensor) -> Tensor:
        """Returns the target, ``(batch, masked, numbers)`` float32, in a tubelet the colours running fastest.

        Args:
            video: ``(batch, channels, frames, size, size)``, normalised with ImageNet's mean and deviation
            masked: ``(batch, masked)`` indices of the hidden tubelets
        """
        pixels = self._tubelets(shown(video))
        mean, deviation = _statistics(pixels)
        return taken(self._differences((pixels - mean) / deviation).flatten(2), masked)

    def loss(self, predicted: Tensor, target: Tensor) -> Tensor:
        """Returns the mean squared error ``()`` in float32; both are ``(batch, masked, numbers)``."""
        predicted = predicted.float()
        if self.difference_weight is None:
            return functional.mse_loss(predicted, target)
        halves = zip(predicted.chunk(2, dim=2), target.chunk(2, dim=2), strict=True)
        still, moving = (functional.mse_loss(*half) for half in halves)
        return (1 - self.difference_weight) * still + self.difference_weight * moving

    def rebuilt(self, video: Tensor, masked: Tensor, predicted: Tensor) -> Tensor:
        """Returns the clip with its hidden tubelets as predicted, ``(batch, channels, frames, size, size)`` in [0, 1].

        The mean and deviation of each tubelet, which nobody predicts, are those of the clip.

        Args:
            video: as in a call
            masked: as in a call
            predicted: ``(batch, masked, numbers)``
        """
        pixels = self._tubelets(shown(video))
        mean, deviation = _statistics(pixels)
        values = self._differences((pixels - mean) / deviation).flatten(2)
        values = values.scatter(1, masked[..., None].expand(predicted.shape), predicted.float())
        values = self._differences(values.unflatten(2, pixels.shape[2:]), sign=1)
        tubelets = (values * deviation + mean).unflatten(2, (self.shape.tubelet, self.shape.patch, -1))
        tubelets = tubelets.unflatten(1, self.shape.grid).permute(0, 1, 2, 3, 7, 4, 5, 6)
        return self.shape.video(tubelets).clamp(0, 1)

    def _tubelets(self, video: Tensor) -> Tensor:
        """Returns ``(batch, tokens, pixels, channels)``."""
        return self.shape.tubelets(video).permute(0, 1, 2, 3, 5, 6, 7, 4).flatten(4, 6).flatten(1, 3)

    def _differences(self, pixels: Tensor, sign: int = -1) -> Tensor:
        """Subtracts the first picture of each group from the others; with ``sign`` 1 adds it again."""
        if self.difference_group is None:
            return pixels
        steps, rows, columns = self.shape.grid
        by_site = pixels.unflatten(2, (self.shape.tubelet, -1)).unflatten(1, (steps, rows * columns)).transpose(2, 3)
        pictures = by_site.flatten(1, 2).unflatten(1, (-1, self.difference_group))  # (B, groups, group, sites, ...)
        first, others = pictures[:, :, :1], pictures[:, :, 1:]
        pictures = torch.cat([first, others + sign * first], dim=2).flatten(1, 2)
        by_site = pictures.unflatten(1, (steps, self.shape.tubelet)).transpose(2, 3)
        return by_site.flatten(3, 4).flatten(1, 2)


def spectrogram_target(patches: Tensor) -> Tensor:
    """Normalises each patch of a spectrogram, ``(batch, patches, numbers)``, over its numbers."""
    mean, deviation = _statistics(patches.float()[..., None])
    return (patches - mean[..., 0]) / deviation[..., 0]


def shown(video: Tensor) -> Tensor:
    """Undoes ImageNet's normalisation of ``(batch, 3, ...)``: float32 pixels in [0, 1]."""
    shape = (-1, *[1] * (video.dim() - 2))
    colours = (torch.tensor(numbers, dtype=torch.float32) for numbers in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    mean, deviation = (sent(numbers, video.device).view(shape) for numbers in colours)
    return video.float() * deviation + mean


def _statistics(values: Tensor) -> tuple[Tensor, Tensor]:
    """Returns mean and unbiased deviation, never zero, of ``(batch, tokens, numbers, channels)`` over the numbers."""
    # Not torch.std: the authors' targets are met to the last bit this way.
    return values.mean(dim=2, keepdim=True), values.var(dim=2, keepdim=True).sqrt() + EPSILON

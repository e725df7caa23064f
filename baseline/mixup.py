"""Clips blended with one another, and their labels with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Mixed(NamedTuple):
    """A batch after mixing.

    Attributes:
        video: like that before, None where there was none
        targets: ``(batch, classes)`` float32, adding up to one
        sound: like that before, None where there was none
    """

    video: "Tensor | None"
    targets: "Tensor"
    sound: "Tensor | None" = None


@dataclass(frozen=True)
class Mixing:
    """Mixup (Zhang et al. 2018) or cutmix (Yun et al. 2019) of each clip with its mirror in the batch.

    One share is drawn for the whole batch, as Wightman's timm does; from a ``RandomState`` the numbers are its own.
    Without either, what is left is label smoothing. Of sound alone, from which nothing is cut, what either draws is
    blended, as it is beside pictures.

    Attributes:
        mixup: both parameters of the beta distribution of a blend's share; 0 for none
        cutmix: the same for the share that stays of a picture when a box is cut out; 0 for none
        probability: of mixing a batch at all
        switch: probability of cutmix, where both are on
        smoothing: label smoothing, what all classes share evenly (Szegedy et al. 2016)
        sound: whether sound is blended along with the labels; the release of HiCMAE leaves it as it was. Where there
            is sound alone, labels are left too
    """

    mixup: float = 0.8
    cutmix: float = 1.0
    probability: float = 1.0
    switch: float = 0.5
    smoothing: float = 0.1
    sound: bool = True

    def __call__(
        self,
        video: "Tensor | None",
        labels: "Tensor",
        classes: int,
        chance: np.random.Generator | np.random.RandomState,
        sound: "Tensor | None" = None,
    ) -> Mixed:
        """Returns a new batch.

        Args:
            video: ``(batch, channels, time, height, width)``, None where only sound is heard
            labels: ``(batch,)`` int64
            classes: how many there are
            chance: its draws depend on the options and the size of the pictures only
            sound: ``(batch, 1, frames, bands)``
        """
        share, cut = self._draw(chance)
        if video is None:
            share = share if self.sound else 1.0
        elif share < 1:
            video, share = _cut(video, share, chance) if cut else (_blend(video, share), share)
        if self.sound and sound is not None and share < 1:
            sound = _blend(sound, share)
        return Mixed(video, _blend(smooth(labels, classes, self.smoothing), share), sound)

    def _draw(self, chance: np.random.Generator | np.random.RandomState) -> tuple[float, bool]:
        """Returns the share of each clip that stays its own, and whether the rest is cut out."""
        if not (self.mixup or self.cutmix) or chance.random() >= self.probability:
            return 1.0, False
        cut = chance.random() < self.switch if self.mixup and self.cutmix else self.cutmix > 0
        spread = self.cutmix if cut else self.mixup
        return float(chance.beta(spread, spread)), bool(cut)


def smooth(labels: "Tensor", classes: int, smoothing: float) -> "Tensor":
    """Returns one row per label, ``(batch, classes)`` float32: ``smoothing / classes``, and the rest on the label."""
    from torch.nn import functional

    return functional.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes


def _blend(batch: "Tensor", share: float) -> "Tensor":
    return batch * share + batch.flip(0) * (1 - share)


def _cut(video: "Tensor", share: float, chance: np.random.Generator | np.random.RandomState) -> tuple["Tensor", float]:
    """Puts a box of each clip's mirror, through all frames, into it; returns the share that really stays.

    The box's middle is anywhere, so that what hangs over the edge makes it smaller than wanted.
    """
    height, width = video.shape[-2:]
    half_height, half_width = (int(side * (1 - share) ** 0.5) // 2 for side in (height, width))
    row, column = int(chance.choice(height)), int(chance.choice(width))
    top, bottom = max(0, row - half_height), min(height, row + half_height)
    left, right = max(0, column - half_width), min(width, column + half_width)
    mixed = video.clone()
    mixed[..., top:bottom, left:right] = video.flip(0)[..., top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)

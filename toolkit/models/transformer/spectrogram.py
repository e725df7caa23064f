"""The shape of a spectrogram, and what makes tokens of it."""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from toolkit.models.transformer.masks import taken
from toolkit.models.transformer.targets import EPSILON


class SpectrogramShape(NamedTuple):
    """Filter banks over time, cut into squares.

    Attributes:
        frames: number of filter banks
        bands: numbers of one
        patch: height and width of a square
    """

    frames: int = 256
    bands: int = 128
    patch: int = 16

    @property
    def grid(self) -> tuple[int, int]:
        """Number of squares along time and along the bands."""
        return self.frames // self.patch, self.bands // self.patch

    @property
    def tokens(self) -> int:
        """Number of squares; tokens lie in the order of (time, bands), the last running fastest."""
        steps, rows = self.grid
        return steps * rows

    @property
    def numbers(self) -> int:
        """Numbers of one square."""
        return self.patch**2

    def patches(self, audio: Tensor) -> Tensor:
        """Returns the squares ``(batch, tokens, numbers)`` of a spectrogram, in each the bands running fastest.

        Args:
            audio: ``(batch, 1, frames, bands)``

        Raises:
            ValueError: the spectrogram has another shape
        """
        expected = (1, self.frames, self.bands)
        if audio.shape[1:] != expected:
            raise ValueError(f"a spectrogram of shape {tuple(audio.shape[1:])} where one of {expected} was expected")
        cut = audio[:, 0].unflatten(2, (-1, self.patch)).unflatten(1, (-1, self.patch))
        return cut.transpose(2, 3).flatten(3).flatten(1, 2)

    def audio(self, patches: Tensor) -> Tensor:
        """Puts together what `patches` cut."""
        cut = patches.unflatten(2, (self.patch, self.patch)).unflatten(1, self.grid)
        return cut.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, None]

    def rebuilt(self, audio: Tensor, masked: Tensor, predicted: Tensor) -> Tensor:
        """Returns a spectrogram with its hidden squares as predicted, ``(batch, 1, frames, bands)``.

        The mean and deviation of each square, which nobody predicts, are its own.

        Args:
            audio: as in `patches`
            masked: ``(batch, masked)`` indices of the hidden squares
            predicted: ``(batch, masked, numbers)``, normalised as `targets.spectrogram_target` does
        """
        patches = self.patches(audio)
        hidden = taken(patches, masked)
        values = predicted * (hidden.std(dim=2, keepdim=True) + EPSILON) + hidden.mean(dim=2, keepdim=True)
        return self.audio(patches.scatter(1, masked[..., None].expand(values.shape), values.to(patches.dtype)))


class SpectrogramTokenizer(nn.Module):
    """One token for each square; stored as a convolution, as in `VideoTokenizer`.

    Args:
        shape: of the spectrogram
        dim: width of a token
    """

    def __init__(self, shape: SpectrogramShape, dim: int) -> None:
        super().__init__()
        self.shape = shape
        self.proj = nn.Conv2d(1, dim, kernel_size=shape.patch, stride=shape.patch)

    def forward(self, audio: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Maps ``(batch, 1, frames, bands)`` to ``(batch, tokens, dim)``, first frames and lowest bands first.

        Args:
            audio: a spectrogram of the shape
            chosen: ``(batch, chosen)`` indices of the tokens wanted, all of them if None
        """
        patches = self.shape.patches(audio)
        if chosen is not None:
            patches = taken(patches, chosen)
        return functional.linear(patches, self.proj.weight.flatten(1), self.proj.bias)

"""The shape of a clip and of the tokens cut from it."""

from typing import NamedTuple

from torch import Tensor


class ClipShape(NamedTuple):
    """Sixteen square pictures, cut into tubelets of two by 16 x 16 pixels, unless said otherwise.

    Attributes:
        size: height and width of a picture in pixels
        frames: number of pictures
        patch: height and width of a tubelet in pixels
        tubelet: pictures of a tubelet
        channels: colours
    """

    size: int = 160
    frames: int = 16
    patch: int = 16
    tubelet: int = 2
    channels: int = 3

    @property
    def grid(self) -> tuple[int, int, int]:
        """Number of tubelets along time, height and width."""
        side = self.size // self.patch
        return self.frames // self.tubelet, side, side

    @property
    def tokens(self) -> int:
        """Number of tubelets; tokens lie in the order of (time, height, width), the last running fastest."""
        steps, rows, columns = self.grid
        return steps * rows * columns

    @property
    def numbers(self) -> int:
        """Numbers of one tubelet."""
        return self.tubelet * self.patch**2 * self.channels

    def tubelets(self, video: Tensor) -> Tensor:
        """Returns a view ``(batch, time, height, width, channels, tubelet, patch, patch)`` of a video.

        Args:
            video: ``(batch, channels, frames, size, size)``

        Raises:
            ValueError: the video has another shape
        """
        expected = (self.channels, self.frames, self.size, self.size)
        if video.shape[1:] != expected:
            raise ValueError(f"a clip of shape {tuple(video.shape[1:])} where one of {expected} was expected")
        cut = video.unflatten(4, (-1, self.patch)).unflatten(3, (-1, self.patch)).unflatten(2, (-1, self.tubelet))
        return cut.permute(0, 2, 4, 6, 1, 3, 5, 7)

    def video(self, tubelets: Tensor) -> Tensor:
        """Puts together what `tubelets` cut."""
        return tubelets.permute(0, 4, 1, 5, 2, 6, 3, 7).flatten(6, 7).flatten(4, 5).flatten(2, 3)

"""What all encoders that look at several pictures at a time share: windows of them, a row for every few."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from feature_extraction.network import NetworkEncoder
from feature_extraction.piece import Piece
from feature_extraction.visual.preprocessing import Preprocessing
from feature_extraction.visual.windows import Window
from toolkit.errors import ClipError
from toolkit.status import Status

if TYPE_CHECKING:
    import torch

    from feature_extraction.faces.track import FaceTrack


class WindowEncoder(NetworkEncoder):
    """A family whose network sees windows of pictures.

    Attributes:
        preprocessing: what is done to a picture before the network sees it; `build` sets it
    """

    capacity = 32  # pictures
    preprocessing: Preprocessing

    @abstractmethod
    def windows(self, times: np.ndarray) -> Iterator[Window]:
        """Yields the windows of a clip.

        Args:
            times: ``(T,)`` seconds of the clip's pictures, at least one
        """

    @abstractmethod
    def rows(self, videos: "torch.Tensor") -> "torch.Tensor":
        """Returns the rows ``(B, t, D)`` of windows, one for each tubelet.

        Args:
            videos: ``(B, time, 3, height, width)``, normalised, in the network's number type
        """

    def picture(self, crop: np.ndarray) -> np.ndarray:
        """Returns a crop ``(height, width, 3)`` uint8 RGB, resized and cut; it runs in threads."""
        return self.preprocessing.picture(crop)

    def pieces(self, item: "FaceTrack") -> Iterator[Piece]:
        """Yields windows; raises `ClipError` where the track is empty."""
        if not len(item.times):
            raise ClipError(Status.NO_FACE, "the face track has no frames")
        for window in self.windows(np.asarray(item.times, dtype=np.float64)):
            pictures = self.parallel(self.picture, [item.crops[frame] for frame in window.frames])
            yield Piece(np.stack(pictures), len(window.frames), window.times, window.keep)

    def forward(self, pieces: list[Piece]) -> list["torch.Tensor"]:
        """Returns the rows ``(t + 1, D)`` of each window, their mean being the last."""
        import torch

        pictures = self.tensor(np.stack([piece.inputs for piece in pieces]))  # (B, T, H, W, 3)
        videos = self.preprocessing.normalised(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])
        rows = self.rows(videos.to(self.dtype)).float()
        return list(torch.cat([rows, rows.mean(dim=1, keepdim=True)], dim=1))

"""Area-averaged resizing of many crops of many frames out of one table of sums.

Every output pixel is the mean of the window of whole input pixels under it (``interpolate(mode="area")`` of torch).
With summed areas (Crow, "Summed-Area Tables for Texture Mapping", SIGGRAPH 1984) a window costs four look-ups whatever
its size; the sums are integers, so the result is that of torch to the last bit.
"""

from collections.abc import Sequence

import numpy as np
import torch


def windows(start: np.ndarray, stop: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns first pixel and the one after the last of ``count`` windows that cover a stretch of pixels.

    Args:
        start: ``(N,)`` first pixels
        stop: ``(N,)`` the pixels after the last
        count: windows to cut each stretch into; they share a pixel where the lengths do not divide

    Returns:
        two arrays ``(N, count)``
    """
    steps, length = np.arange(count), (stop - start)[:, None]
    first = steps * length // count
    last = -(-(steps + 1) * length // count)
    return start[:, None] + first, start[:, None] + last


def averaged(picture: np.ndarray, size: int) -> np.ndarray:
    """Returns one picture resized, equal to `Integral.resized` but quicker for a small one.

    Args:
        picture: ``(H, W, 3)`` uint8
        size: height and width wanted

    Returns:
        ``(size, size, 3)`` float32 in [0, 255]
    """
    import cv2

    sums = cv2.integral(picture, sdepth=cv2.CV_32S)
    (top, left), (bottom, right) = windows(np.zeros(2, np.int64), np.array(picture.shape[:2]), size)
    rows = sums[bottom] - sums[top]
    total = (rows.take(right, axis=1) - rows.take(left, axis=1)).astype(np.float32)
    total /= (bottom - top).astype(np.float32)[:, None, None]
    total /= (right - left).astype(np.float32)[:, None]
    return total


class Integral:
    """Summed areas of a batch of frames.

    Args:
        frames: RGB pictures ``(H, W, 3)`` uint8, all of one size
        device: torch device

    Attributes:
        shape: number of frames, height, width
    """

    def __init__(self, frames: Sequence[np.ndarray], *, device: str = "cpu") -> None:
        import cv2

        self.shape = (len(frames), *frames[0].shape[:2])
        sums = np.stack([cv2.integral(frame, sdepth=cv2.CV_32S) for frame in frames])
        self._sums = torch.from_numpy(sums).to(device)  # (N, H + 1, W + 1, 3) int32

    def resized(self, height: int, width: int, frames: slice = slice(None)) -> torch.Tensor:
        """Returns some of the frames, all by default, as ``(N, 3, height, width)`` float32 in [0, 255]."""
        top, bottom = self._one(self.shape[1], height)
        left, right = self._one(self.shape[2], width)
        sums = self._sums[frames]
        rows = sums[:, bottom] - sums[:, top]
        total = rows[:, :, right] - rows[:, :, left]
        return _mean(total, (bottom - top)[None, :, None, None], (right - left)[None, None, :, None])

    def cropped(self, boxes: np.ndarray, owners: np.ndarray, size: int) -> torch.Tensor:
        """Returns crops ``(M, 3, size, size)`` float32 in [0, 255].

        Args:
            boxes: ``(M, 4)`` whole pixels inside the frame, the last row and column excluded
            owners: ``(M,)`` index of each box's frame
            size: height and width of the crops
        """
        left, right = self._many(boxes[:, 0], boxes[:, 2], size)
        top, bottom = self._many(boxes[:, 1], boxes[:, 3], size)
        _, height, width, colours = self._sums.shape
        table = self._sums.view(-1, colours)  # so that one index, not three, finds a sum
        frame = torch.as_tensor(owners, device=table.device)[:, None] * height

        def sums(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            index = ((frame + y) * width)[:, :, None] + x[:, None]
            return table.index_select(0, index.view(-1)).view(-1, size, size, colours)

        total = sums(bottom, right) - sums(top, right) - sums(bottom, left) + sums(top, left)
        return _mean(total, (bottom - top)[:, :, None, None], (right - left)[:, None, :, None])

    def _one(self, length: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        first, last = self._many(np.zeros(1, dtype=np.int64), np.array([length]), count)
        return first[0], last[0]

    def _many(self, start: np.ndarray, stop: np.ndarray, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        first, last = windows(start, stop, count)
        return torch.as_tensor(first, device=self._sums.device), torch.as_tensor(last, device=self._sums.device)


def _mean(total: torch.Tensor, height: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
    """Returns sums ``(N, h, w, 3)`` divided by the windows' sizes, as ``(N, 3, h, w)``.

    Channels stay last in memory: so laid out, torch's pooling runs several times as fast.
    """
    return (total.float() / height / width).permute(0, 3, 1, 2)

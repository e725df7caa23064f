"""Gathering the rows that a network gives of one clip, piece by piece, into its features."""

import numpy as np

from feature_extraction.encoder import FrameFeatures
from feature_extraction.spec import Level
from toolkit.errors import ClipError
from toolkit.spool import Spool
from toolkit.status import Status


class _Mean:
    """The mean of rows on the way."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: np.ndarray | None = None

    def add(self, rows: np.ndarray) -> None:
        total = rows.sum(axis=0, dtype=np.float64)
        self._sum = total if self._sum is None else self._sum + total
        self.count += len(rows)

    def value(self) -> np.ndarray:
        return (self._sum / self.count).astype(np.float32)


class Gathering:
    """The features of one clip on the way: a running mean, and at frame level the rows themselves.

    Args:
        level: ``utterance`` forgets the rows
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self._frames, self._summaries = _Mean(), _Mean()
        self._values, self._times = Spool(), Spool()

    def add(self, values: np.ndarray, times: np.ndarray) -> None:
        """Adds the next frames ``(t, D)`` float32 with their times ``(t,)`` or ``(t, 2)``.

        Raises:
            ValueError: not one time per row
        """
        if len(values) != len(times):
            raise ValueError(f"{len(values)} rows of features for {len(times)} times")
        self._frames.add(values)
        if self.level == "frame":
            self._values.append(values)
            self._times.append(times)

    def summarise(self, values: np.ndarray) -> None:
        """Adds rows ``(n, D)`` float32 that are no frames; their mean is the clip's vector, not that of its frames."""
        self._summaries.add(values)

    def finish(self) -> FrameFeatures | ClipError:
        """Returns the features; at ``utterance`` level ``values`` is ``(0, D)``."""
        of_clip = self._summaries if self._summaries.count else self._frames
        if not of_clip.count or (self.level == "frame" and not self._frames.count):
            return ClipError(Status.TOO_SHORT, "the encoder gave no frames")
        mean = of_clip.value()
        if not np.isfinite(mean).all():
            return ClipError(Status.NOT_FINITE, "the encoder gave NaN or infinity")
        if self.level == "utterance":
            return FrameFeatures(np.zeros((0, len(mean)), np.float32), np.zeros(0), mean)
        return FrameFeatures(self._values.array(), self._times.array(), mean)

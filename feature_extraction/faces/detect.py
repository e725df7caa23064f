"""One door to the face detectors: what a detector is, and where they are found by name."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from feature_extraction.faces.spec import FaceSpec
from toolkit.registry import Registry

if TYPE_CHECKING:
    from feature_extraction.faces.reel import KeptTrack


class Detection(NamedTuple):
    """One face in one frame.

    Attributes:
        box: ``(4,)`` float32, x1 y1 x2 y2 in pixels; may reach over the frame's edge
        points: ``(5, 2)`` float32, x y of the left eye, right eye, nose tip, left and right mouth corner (left and
            right as seen in the picture) in pixels
        probability: of being a face, in [0, 1]
    """

    box: np.ndarray
    points: np.ndarray
    probability: float


class Detector(ABC):
    """Finds faces in frames of one size.

    Args:
        spec: how faces are looked for
        device: torch device
        weights: folder of weight files instead of the installed ones
    """

    @abstractmethod
    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None: ...

    @abstractmethod
    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Returns the faces of each frame, most probable first.

        Args:
            frames: RGB pictures ``(H, W, 3)`` uint8, all of one size
        """

    @abstractmethod
    def confirm(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> list[Detection | None]:
        """Looks at one place in each frame, where a face is expected.

        Args:
            frames: RGB pictures ``(H, W, 3)`` uint8, all of one size
            boxes: ``(N, 4)`` the expected box in each frame

        Returns:
            the face there, at its true place, or ``None`` where there is none
        """


class ClipDetector(ABC):
    """Finds, follows and cuts out the face by itself, video in and track out.

    Args:
        spec: how
        device: torch device, ignored by programs that know none
        weights: program or folder instead of the installed one
    """

    @abstractmethod
    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None: ...

    @abstractmethod
    def extract(self, path: Path) -> "KeptTrack":
        """Returns the face of one clip.

        Args:
            path: video file

        Raises:
            ClipError: the clip cannot be used
        """


detectors: Registry[Callable[..., Detector | ClipDetector]] = Registry("face detector", "feature_extraction.faces")

"""Face tracks, and the folder of weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from feature_extraction.checkpoint import FOLDER_VARIABLE
from feature_extraction.faces.track import FaceTrack


@pytest.fixture(scope="session")
def track_of() -> Callable[[np.ndarray], FaceTrack]:
    """Makes a face track of crops ``(T, H, W, 3)``, ten a second."""

    def make(crops: np.ndarray) -> FaceTrack:
        count = len(crops)
        boxes, points = np.zeros((count, 4), np.float32), np.zeros((count, 5, 2), np.float32)
        return FaceTrack(crops, np.arange(count) / 10, boxes, points, np.ones(count, np.float32))

    return make


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where ``local:`` checkpoints are looked for."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return tmp_path

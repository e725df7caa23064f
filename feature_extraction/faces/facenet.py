"""The MTCNN of facenet-pytorch, for those who have it and ask for it."""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from feature_extraction.faces.detect import Detection, detectors
from feature_extraction.faces.mtcnn import Mtcnn
from feature_extraction.faces.networks import Networks
from feature_extraction.faces.spec import FaceSpec
from toolkit.device import exact_convolutions
from toolkit.errors import UserError

INSTALL = "pip install -c constraints.txt -e '.[facenet]'"


class _FaceLast(torch.nn.Module):
    """A network of facenet-pytorch, its last output cut down to the probability of a face."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        *values, probability = self.network(x)
        return *values, probability[:, 1]


@detectors.add("facenet")
class Facenet(Mtcnn):
    """facenet-pytorch's own detection; faces between two searched frames are confirmed with its last network.

    Args:
        spec: ``min_face`` is used here
        device: torch device
        weights: must be ``None``, the package carries its own

    Raises:
        UserError: facenet-pytorch is not installed, or cannot be imported
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        if weights is not None:
            raise UserError(f"The facenet detector carries its own weights, got {weights}. Use the mtcnn detector.")
        self.min_face = spec.min_face
        self.device = device
        package = import_facenet()
        self._facenet = package.MTCNN(min_face_size=spec.min_face, keep_all=True, select_largest=False, device=device)
        nets = (self._facenet.pnet, self._facenet.rnet, self._facenet.onet)
        self.networks = Networks(*map(_FaceLast, nets))

    @exact_convolutions()
    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Returns the faces of each frame, most probable first; see `Detector.detect`."""
        if min(frames[0].shape[:2]) < self.min_face:  # it fails where no level of the pyramid fits
            return [[] for _ in frames]
        boxes, probabilities, points = self._facenet.detect(np.stack(frames), landmarks=True)
        return [_detections(*found) for found in zip(boxes, probabilities, points, strict=True)]


def import_facenet() -> Any:
    """Returns the ``facenet_pytorch`` module.

    Raises:
        UserError: it is absent, or it or its torchvision cannot be imported
    """
    if importlib.util.find_spec("facenet_pytorch") is None:
        raise UserError(f"The facenet detector needs facenet-pytorch. Run: {INSTALL} (or use the mtcnn detector)")
    try:
        return importlib.import_module("facenet_pytorch")
    except (ImportError, OSError, RuntimeError) as error:  # what torchvision builds for another torch raise
        raise UserError(
            f"facenet-pytorch is installed but cannot be imported, most often because torchvision does not fit torch "
            f"{torch.__version__} ({type(error).__name__}: {str(error).splitlines()[0]}). Install the torchvision "
            "build that matches, or run: pip uninstall torchvision (and use the mtcnn detector, which needs neither)"
        ) from error


def _detections(boxes: Any, probabilities: Any, points: Any) -> list[Detection]:
    if boxes is None:
        return []
    boxes, points = np.asarray(boxes, dtype=np.float32), np.asarray(points, dtype=np.float32)
    order = np.argsort(-np.asarray(probabilities, dtype=np.float64), kind="stable")
    return [Detection(boxes[i], points[i], float(probabilities[i])) for i in order]

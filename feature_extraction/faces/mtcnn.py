"""MTCNN: a cascade of three small networks, run over batches of frames.

Method: Zhang et al. 2016 (see networks.py). The arithmetic (pyramid, rounding, thresholds, suppression, area-averaged
resampling, which edges count as inside) follows facenet-pytorch 2.5.3 and 2.6.0, so that boxes are equal to its own;
unlike there, a frame's faces do not depend on what else is in the batch, up to the rounding of the networks.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from feature_extraction.faces import boxes as geometry
from feature_extraction.faces.detect import Detection, Detector, detectors
from feature_extraction.faces.networks import load_networks
from feature_extraction.faces.resample import Integral, averaged
from feature_extraction.faces.spec import FaceSpec
from toolkit.device import exact_convolutions

CELL = 12  # pixels the proposal network sees at once
STRIDE = 2  # pixels between two of its cells
SHRINK = 0.709  # from one level of the pyramid to the next; about half the area
THRESHOLDS = (0.6, 0.7, 0.7)  # face probability asked by each network
# Given to a network at once. More is no quicker, and the system takes long to find memory for what their layers make.
PIXELS = 2 * 324 * 576  # of one level of the pyramid
CROPS = {24: 64, 48: 32}  # by their size


def pyramid(height: int, width: int, min_face: int) -> list[float]:
    """Returns the scales at which a frame is searched; a face of ``min_face`` pixels fills one cell at the first."""
    scales, scale = [], CELL / min_face
    side = min(height, width) * scale
    while side >= CELL:
        scales.append(scale)
        scale, side = scale * SHRINK, side * SHRINK
    return scales


def _to_network(pixels: torch.Tensor) -> torch.Tensor:
    return (pixels - 127.5) * 0.0078125


@detectors.add("mtcnn")
class Mtcnn(Detector):
    """MTCNN in torch, with the weights of the ``mtcnn`` wheel.

    Args:
        spec: ``min_face`` is used here
        device: torch device
        weights: folder of weight files, ``None`` for the installed wheel's

    Raises:
        UserError: weights are absent or not the expected ones
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        self.min_face = spec.min_face
        self.device = device
        self.networks = load_networks(weights, device=device)

    @torch.inference_mode()
    @exact_convolutions()
    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Returns the faces of each frame, most probable first; see `Detector.detect`."""
        pixels = Integral(frames, device=self.device)
        boxes, owners = self._propose(pixels)
        boxes, owners = self._refine(pixels, boxes, owners)
        return self._output(pixels, boxes, owners)

    @torch.inference_mode()
    @exact_convolutions()
    def confirm(self, frames: Sequence[np.ndarray], boxes: np.ndarray) -> list[Detection | None]:
        """Runs the last network alone on the expected boxes; see `Detector.confirm`."""
        squares = geometry.squared(np.asarray(boxes, dtype=np.float32))
        crops, kept = [], []
        for number, (frame, square) in enumerate(zip(frames, squares, strict=True)):
            for left, top, right, bottom in _inside(square[None], *frame.shape[:2])[1]:
                crops.append(averaged(frame[top:bottom, left:right], 48))
                kept.append(number)
        faces: list[list[Detection]] = [[] for _ in frames]
        if crops:
            pixels = torch.from_numpy(np.stack(crops)).to(self.device).permute(0, 3, 1, 2)
            self._judge(_to_network(pixels), squares[kept], np.array(kept), faces)
        return [found[0] if found else None for found in faces]

    def _propose(self, pixels: Integral) -> tuple[np.ndarray, np.ndarray]:
        """Returns square candidate boxes ``(N, 4)`` and the index of each one's frame ``(N,)``."""
        frames, height, width = pixels.shape
        levels: list[list[np.ndarray]] = [[] for _ in range(frames)]
        for scale in pyramid(height, width, self.min_face):
            size = int(height * scale + 1), int(width * scale + 1)
            step = max(1, PIXELS // (size[0] * size[1]))
            for first in range(0, frames, step):
                small = pixels.resized(*size, slice(first, first + step))
                offsets, probability = self.networks.propose(_to_network(small))
                for owner, rows in _cells(offsets, probability, scale):
                    kept = geometry.suppress(rows[:, :4], rows[:, 4], 0.5)
                    levels[first + owner].append(rows[kept])
        found = [_merge_levels(rows) for rows in levels]
        return np.concatenate(found), np.repeat(np.arange(frames), [len(boxes) for boxes in found])

    def _refine(self, pixels: Integral, boxes: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the candidates that the second network believes, corrected and square again."""
        crops, kept = _crops(pixels, boxes, owners, 24)
        if not len(kept):
            return boxes[kept], owners[kept]
        offsets, probability = _collect(self.networks.refine, crops)
        sure = probability > THRESHOLDS[1]
        boxes, owners, offsets, probability = boxes[kept][sure], owners[kept][sure], offsets[sure], probability[sure]
        picks = [np.empty(0, dtype=np.int64)]
        for owner in np.unique(owners):
            mine = np.flatnonzero(owners == owner)
            picks.append(mine[geometry.suppress(boxes[mine], probability[mine], 0.7)])
        pick = np.concatenate(picks)
        return geometry.squared(geometry.shifted(boxes[pick], offsets[pick], margin=1)), owners[pick]

    def _output(self, pixels: Integral, boxes: np.ndarray, owners: np.ndarray) -> list[list[Detection]]:
        """Returns the faces of each frame out of square candidates."""
        faces: list[list[Detection]] = [[] for _ in range(pixels.shape[0])]
        crops, kept = _crops(pixels, boxes, owners, 48)
        if len(kept):
            self._judge(crops, boxes[kept], owners[kept], faces)
        return faces

    def _judge(self, crops: torch.Tensor, boxes: np.ndarray, owners: np.ndarray, faces: list[list[Detection]]) -> None:
        """Adds the faces among square candidates to the lists of their frames."""
        offsets, points, probability = _collect(self.networks.output, crops)
        sure = probability > THRESHOLDS[2]
        boxes, owners, probability = boxes[sure], owners[sure], probability[sure]
        points = _to_pixels(points[sure], boxes)
        boxes = geometry.shifted(boxes, offsets[sure], margin=1)
        for owner in np.unique(owners):
            mine = np.flatnonzero(owners == owner)
            for best in mine[geometry.suppress(boxes[mine], probability[mine], 0.7, smaller=True)]:
                faces[owner].append(Detection(boxes[best], points[best], float(probability[best])))


def _inside(boxes: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the indices ``(M,)`` of the boxes that lie in the frame and their parts there, whole pixels ``(M, 4)``.

    Coordinates are cut to whole numbers and counted from 1, as in the Matlab original; the last row and column of the
    result are excluded.
    """
    left, top, right, bottom = np.trunc(boxes).astype(np.int64).T
    left, top, right, bottom = left.clip(1) - 1, top.clip(1) - 1, right.clip(None, width), bottom.clip(None, height)
    kept = np.flatnonzero((right > left) & (bottom > top))
    return kept, np.stack([left, top, right, bottom], axis=1)[kept]


def _crops(pixels: Integral, boxes: np.ndarray, owners: np.ndarray, size: int) -> tuple[torch.Tensor, np.ndarray]:
    """Returns crops ``(M, 3, size, size)`` for the networks and the indices ``(M,)`` of the boxes they show."""
    kept, corners = _inside(boxes, *pixels.shape[1:])
    return _to_network(pixels.cropped(corners, owners[kept], size)), kept


def _cells(offsets: torch.Tensor, probability: torch.Tensor, scale: float) -> Iterator[tuple[int, np.ndarray]]:
    """Yields frame index and rows ``(N, 9)`` (box, probability, offsets) of the cells that may hold a face."""
    frame, row, column = (probability >= THRESHOLDS[0]).nonzero(as_tuple=True)
    chosen = torch.cat([probability[frame, row, column][:, None], offsets[frame, :, row, column]], dim=1).cpu().numpy()
    corner = torch.stack([column, row], dim=1).cpu().numpy().astype(np.float32)
    start = np.floor((STRIDE * corner + 1) / scale)
    end = np.floor((STRIDE * corner + CELL) / scale)
    rows = np.concatenate([start, end, chosen], axis=1, dtype=np.float32)
    owners = frame.cpu().numpy()
    for owner in np.unique(owners):
        yield int(owner), rows[owners == owner]


def _merge_levels(levels: list[np.ndarray]) -> np.ndarray:
    """Returns the square boxes ``(N, 4)`` of one frame out of the rows found at each level of the pyramid."""
    if not levels:
        return np.empty((0, 4), dtype=np.float32)
    rows = np.concatenate(levels)
    rows = rows[geometry.suppress(rows[:, :4], rows[:, 4], 0.7)]
    return geometry.squared(geometry.shifted(rows[:, :4], rows[:, 5:]))


def _to_pixels(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns points ``(N, 5, 2)`` in pixels out of fractions ``(N, 10)`` of boxes ``(N, 4)``."""
    size = boxes[:, None, 2:] - boxes[:, None, :2] + 1
    return size * points.reshape(-1, 2, 5).transpose(0, 2, 1) + boxes[:, None, :2] - 1


def _collect(network: torch.nn.Module, crops: torch.Tensor) -> tuple[np.ndarray, ...]:
    parts = [network(some) for some in crops.split(CROPS[crops.shape[-1]])]
    return tuple(torch.cat(values).cpu().numpy() for values in zip(*parts, strict=True))

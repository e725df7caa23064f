"""Histograms of oriented gradients of brows, eyes and mouth, with the geometry of five landmarks."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, register
from feature_extraction.faces.spec import FaceSpec
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

if TYPE_CHECKING:
    from cv2 import HOGDescriptor

    from feature_extraction.faces.track import FaceTrack

BINS = 9  # unsigned orientations of 20 degrees each, the best of Dalal and Triggs (2005), figure 4


class Region(NamedTuple):
    """A part of the aligned crop, cut into cells.

    Attributes:
        left: edges as fractions of the crop's width and height
        top: see left
        right: see left
        bottom: see left
        cells: number of cells across and down, even
        cell: width and height of a cell in pixels, after resizing
    """

    left: float
    top: float
    right: float
    bottom: float
    cells: tuple[int, int]
    cell: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, after resizing."""
        return self.cells[0] * self.cell[0], self.cells[1] * self.cell[1]

    @property
    def dim(self) -> int:
        """Numbers in its histograms."""
        return self.cells[0] * self.cells[1] * BINS


# Alignment puts the eyes at 0.46 and the mouth at 0.82 of the height; the chin and the cheeks say little.
BROWS_AND_EYES = Region(0.14, 0.22, 0.86, 0.58, cells=(6, 4), cell=(12, 10))
MOUTH = Region(0.25, 0.66, 0.75, 0.98, cells=(4, 4), cell=(14, 9))

GEOMETRY = (
    "roll",  # of the line between the eyes, radians
    "nose_x",  # from the middle of the eyes, along their line: turned head
    "nose_y",  # and across it: nodding head
    "mouth_x",
    "mouth_y",
    "mouth_width",
    "mouth_tilt",  # of the line between its corners against that between the eyes, radians
    "left_eye_to_corner",
    "right_eye_to_corner",
    "nose_to_mouth",
    "eyes_to_box",  # distance of the eyes as a part of the box's width
    "box_shape",  # width by height
    "speed_x",  # of the middle of the eyes, eye distances per second
    "speed_y",
)


def geometry(points: np.ndarray, boxes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns the numbers named in ``GEOMETRY``, lengths in units of the distance between the eyes.

    Args:
        points: ``(T, 5, 2)`` left and right eye, nose, left and right corner of the mouth, in pixels
        boxes: ``(T, 4)`` x1 y1 x2 y2 in pixels
        times: ``(T,)`` seconds

    Returns:
        ``(T, 14)`` float32
    """
    points, boxes = points.astype(np.float64), boxes.astype(np.float64)
    line = points[:, 1] - points[:, 0]
    width, height = (np.maximum(boxes[:, k + 2] - boxes[:, k], 1.0) for k in (0, 1))
    # In a profile the eyes fall together, and what is divided by their distance would explode.
    unit = np.maximum(np.hypot(*line.T), 0.2 * width)
    roll = np.arctan2(line[:, 1], line[:, 0])
    middle = points[:, :2].mean(axis=1)
    along = np.stack([np.cos(roll), np.sin(roll)], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    local = points - middle[:, None]
    local = np.stack([(local * axis[:, None]).sum(axis=2) for axis in (along, across)], axis=2) / unit[:, None, None]
    left_eye, right_eye, nose, left_corner, right_corner = local.transpose(1, 0, 2)
    lips = right_corner - left_corner
    mouth = (left_corner + right_corner) / 2
    speed = np.gradient(middle, times, axis=0) / unit[:, None] if len(times) > 1 else np.zeros_like(middle)
    lengths = [np.hypot(*v.T) for v in (lips, left_corner - left_eye, right_corner - right_eye, mouth - nose)]
    columns = [roll, *nose.T, *mouth.T, lengths[0], np.arctan2(lips[:, 1], lips[:, 0]), *lengths[1:]]
    columns += [np.hypot(*line.T) / width, width / height, *speed.T]
    return np.stack(columns, axis=1).astype(np.float32)


@register
class FaceHog(Encoder):
    """Oriented gradients (Dalal and Triggs 2005, CVPR) where a face moves, and the geometry of five landmarks.

    Two regions of the aligned crop, brows with eyes and the mouth, are cut into 6 x 4 and 4 x 4 cells of 9 unsigned
    orientations each; blocks of 2 x 2 cells, side by side, are normalised (L2-Hys, clipped at 0.2). With 14 numbers of
    geometry a frame has 374. A clip has 748: means over the frames, then standard deviations, which tell a moving
    face from a still one.

    Args:
        spec: what to compute
        settings: as in `Encoder`

    Raises:
        UserError: the face spec finds no landmarks
    """

    family = "face-hog"
    specs = (
        EncoderSpec(
            name="face-hog",
            modality="visual",
            family="face-hog",
            pooling="own",
            input_size=112,
            faces=FaceSpec(),
            dim=748,
        ),
    )

    def __init__(self, spec: EncoderSpec, **settings: Any) -> None:
        super().__init__(spec, **settings)
        if spec.faces is not None and spec.faces.detector == "frames":
            raise UserError(f"'{spec.name}' measures landmarks, which whole frames have not. Take another face spec.")

    def encode(self, batch: Sequence["FaceTrack"]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, 374)`` and ``utterance (748,)``."""
        return [self._encode(track) for track in batch]

    def _encode(self, track: "FaceTrack") -> FrameFeatures | ClipError:
        if not len(track.times):
            return ClipError(Status.NO_FACE, "the face track has no frames")
        gradients = np.stack([self.histograms(crop) for crop in track.crops])
        values = np.concatenate([gradients, geometry(track.points, track.boxes, track.times)], axis=1)
        wide = values.astype(np.float64)
        utterance = np.concatenate([wide.mean(axis=0), wide.std(axis=0)]).astype(np.float32)
        return FrameFeatures(values, track.times, utterance)

    def histograms(self, crop: np.ndarray) -> np.ndarray:
        """Returns the histograms ``(360,)`` float32 of a crop ``(S, S, 3)`` uint8 RGB.

        OpenCV's order: blocks column by column, in them cells column by column, in them orientations.
        """
        import cv2

        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        parts = []
        for region, descriptor in self._descriptors:
            left, right = round(region.left * width), round(region.right * width)
            top, bottom = round(region.top * height), round(region.bottom * height)
            picture = cv2.resize(grey[top:bottom, left:right], region.size, interpolation=cv2.INTER_LINEAR)
            parts.append(descriptor.compute(picture).ravel())
        return np.concatenate(parts)

    @cached_property
    def _descriptors(self) -> list[tuple[Region, "HOGDescriptor"]]:
        return [(region, _descriptor(region)) for region in (BROWS_AND_EYES, MOUTH)]


def _descriptor(region: Region) -> "HOGDescriptor":
    import cv2

    block = (2 * region.cell[0], 2 * region.cell[1])
    return cv2.HOGDescriptor(region.size, block, block, region.cell, BINS)

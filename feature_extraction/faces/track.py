"""Faces followed through a clip, and which of them is the speaker's."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from feature_extraction.faces import boxes as geometry
from feature_extraction.faces.align import align
from feature_extraction.faces.detect import Detection
from feature_extraction.faces.film import FilmFrame
from feature_extraction.faces.reel import KeptTrack, Reel
from feature_extraction.faces.spec import FaceSpec


class FaceTrack(NamedTuple):
    """The speaker's face in one clip.

    Attributes:
        crops: ``(T, S, S, 3)`` uint8 RGB, aligned
        times: ``(T,)`` float64, seconds from the clip's start
        boxes: ``(T, 4)`` float32, x1 y1 x2 y2 in pixels of the upright frame
        points: ``(T, 5, 2)`` float32, x y of eyes, nose tip and mouth corners in pixels of the upright frame
        probabilities: ``(T,)`` float32, of being a face
    """

    crops: np.ndarray
    times: np.ndarray
    boxes: np.ndarray
    points: np.ndarray
    probabilities: np.ndarray


@dataclass
class _Thread:
    """One face on its way through the clip."""

    reel: Reel
    face: Detection  # seen last
    time: float  # of that, seconds
    weight: float = 0.0  # size in pixels, summed over frames
    sure: int = 0  # frames with a high probability


class Tracker:
    """Links the faces of consecutive frames into tracks and keeps the speaker's.

    A face continues the track whose last box overlaps it most, if that was seen within ``spec.max_gap`` seconds and
    overlaps by ``spec.min_overlap``; so a track also goes on after a short occlusion. All tracks end at a cut, which
    is where a frame looks unlike the one before. The speaker is the face whose size (root of the box's area), summed
    over frames, is largest: large and long in view. That sum only grows, so that tracks which ended behind another one
    are dropped at once, and memory holds the crops of the faces in view and of one ended track.

    Args:
        spec: how faces are linked and cut out

    Attributes:
        frames: number of frames seen so far
    """

    def __init__(self, spec: FaceSpec) -> None:
        self.spec = spec
        self._open: list[_Thread] = []
        self._ended: list[_Thread] = []
        self.frames = 0

    def add(self, frame: FilmFrame, faces: list[Detection]) -> None:
        """Adds the faces of the next frame."""
        self.frames += 1
        self._retire(before=np.inf if frame.is_cut else frame.time - self.spec.max_gap)
        for face, thread in zip(faces, self._assign(frame, faces), strict=True):
            crop = align(frame.image, face.points, self.spec.crop_size)
            thread.reel.add(crop, frame.time, face.box, face.points, face.probability)
            thread.face, thread.time = face, frame.time
            thread.weight += float(np.sqrt(geometry.area(face.box[None])[0]))
            thread.sure += face.probability >= self.spec.min_probability

    def speaker(self) -> KeptTrack | None:
        """Returns the speaker's track, or ``None`` where no face was seen long and surely enough."""
        self._retire(before=np.inf)
        best = self._best()
        return best[0].reel.track() if best else None

    def _assign(self, frame: FilmFrame, faces: list[Detection]) -> list[_Thread]:
        """Returns the track of each face, new ones where none fits."""
        threads = {}
        for old, new in match([thread.face for thread in self._open], faces, self.spec.min_overlap):
            threads[new] = self._open[old]
        for number, face in enumerate(faces):
            if number not in threads:
                threads[number] = _Thread(Reel(self.spec.quality), face, frame.time)
                self._open.append(threads[number])
        return [threads[number] for number in range(len(faces))]

    def _retire(self, before: float) -> None:
        """Ends the tracks not seen since, and keeps the best one that counts as a face."""
        self._ended += [thread for thread in self._open if thread.time < before]
        self._open = [thread for thread in self._open if thread.time >= before]
        if self.frames >= self.spec.min_frames:  # a shorter clip is judged at its end
            self._ended = self._best()

    def _best(self) -> list[_Thread]:
        needed = min(self.spec.min_frames, self.frames)
        faces = [thread for thread in self._ended if thread.sure >= needed]
        return sorted(faces, key=lambda thread: -thread.weight)[:1]


def match(first: list[Detection], second: list[Detection], min_overlap: float) -> list[tuple[int, int]]:
    """Pairs the faces of two frames, those that overlap most first.

    Args:
        first: faces of one frame
        second: faces of the other
        min_overlap: smallest intersection over union of a pair

    Returns:
        pairs of indices into both
    """
    if not first or not second:
        return []
    overlap = geometry.overlap(np.stack([face.box for face in first]), np.stack([face.box for face in second]))
    pairs = []
    while overlap.max() >= min_overlap:
        old, new = np.unravel_index(overlap.argmax(), overlap.shape)
        pairs.append((int(old), int(new)))
        overlap[old, :] = overlap[:, new] = -1
    return pairs

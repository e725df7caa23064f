"""Where the detector looks: in which frames, at which size, and where a glance at one place is enough."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from feature_extraction.faces import boxes as geometry
from feature_extraction.faces.detect import Detection, Detector
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.track import match
from toolkit.media import Frame

BATCH_PIXELS = 6 * 640 * 360  # searched at once
CHUNK_BYTES = 32 << 20  # of frames held at once, or one stretch between two searched frames if that is more
STRETCHES = 6  # between searched frames, held at once
LARGE = 0.25  # of the largest face's area: a smaller face may come and go without a search of the frames around


class Searcher:
    """Finds the faces of every frame of a clip without searching every frame.

    Every ``spec.every``-th frame and the last one are searched. Where two neighbouring searched frames show the same
    faces (each overlaps its partner by ``spec.min_overlap``), the frames between are not searched: each face is looked
    for at its linearly interpolated place, which gives its true box, points and probability there. A frame in which
    that fails is searched after all, and so are all frames between two searched ones that show different faces, so
    that the edge is found at which a face comes or goes. Nothing is ever interpolated without a look at the frame.

    Args:
        spec: how faces are looked for
        detector: what finds them
    """

    def __init__(self, spec: FaceSpec, detector: Detector) -> None:
        self.spec = spec
        self.detector = detector

    def run(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, list[Detection]]]:
        """Yields every frame with its faces, largest first, at most ``spec.max_faces`` of them."""
        before: list[Detection] = []
        for stretches in _chunks(frames, self.spec.every):
            searched = self.search([stretch[-1].image for stretch in stretches])
            between = self._between(stretches, [before, *searched])
            for stretch, faces, last in zip(stretches, between, searched, strict=True):
                yield from zip(stretch, [*faces, last], strict=True)
            before = searched[-1]

    def search(self, images: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Returns the faces of each picture, largest first."""
        found: list[list[Detection]] = []
        for _, same in itertools.groupby(images, key=lambda image: image.shape):
            found += self._search_shrunk(list(same))
        return [sorted(faces, key=_area, reverse=True)[: self.spec.max_faces] for faces in found]

    def _search_shrunk(self, images: list[np.ndarray]) -> list[list[Detection]]:
        import cv2

        height, width = images[0].shape[:2]
        scale = self.spec.search_side / min(height, width)
        if scale >= 1:
            return self._search_whole(images)
        size = (round(width * scale), round(height * scale))
        ratio = np.array([width / size[0], height / size[1]], dtype=np.float32)
        small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
        found = [[_scaled(face, ratio) for face in faces] for faces in self._search_whole(small)]
        empty = [number for number, faces in enumerate(found) if not faces]
        for number, faces in zip(empty, self._search_whole([images[number] for number in empty]), strict=True):
            found[number] = faces
        return found

    def _search_whole(self, images: list[np.ndarray]) -> list[list[Detection]]:
        found: list[list[Detection]] = []
        step = max(1, BATCH_PIXELS // (images[0].shape[0] * images[0].shape[1])) if images else 1
        for start in range(0, len(images), step):
            found += self.detector.detect(images[start : start + step])
        return found

    def _between(self, stretches: list[list[Frame]], searched: list[list[Detection]]) -> list[list[list[Detection]]]:
        """Returns the faces of the frames before the last of each stretch; ``searched`` has one entry more."""
        found: list[list[list[Detection]]] = [[[] for _ in stretch[:-1]] for stretch in stretches]
        glances: list[tuple[int, int, np.ndarray]] = []
        doubtful: set[tuple[int, int]] = set()
        for number, stretch in enumerate(stretches):
            pairs = self._same_faces(searched[number], searched[number + 1])
            for place in range(len(stretch) - 1):
                if pairs is None:
                    doubtful.add((number, place))
                else:
                    share = (place + 1) / len(stretch)
                    glances += [(number, place, old.box + (new.box - old.box) * share) for old, new in pairs]
        faces = self._glance(stretches, glances)
        for (number, place, _), face in zip(glances, faces, strict=True):
            if face is None:
                doubtful.add((number, place))
            else:
                found[number][place].append(face)
        places = sorted(doubtful)
        for (number, place), faces in zip(places, self.search([stretches[n][p].image for n, p in places]), strict=True):
            found[number][place] = faces
        return found

    def _glance(
        self, stretches: list[list[Frame]], glances: list[tuple[int, int, np.ndarray]]
    ) -> list[Detection | None]:
        if not glances:
            return []
        images = [stretches[number][place].image for number, place, _ in glances]
        return self.detector.confirm(images, np.stack([box for *_, box in glances]))

    def _same_faces(self, old: list[Detection], new: list[Detection]) -> list[tuple[Detection, Detection]] | None:
        """Returns the pairs of faces seen in both frames, ``None`` where a large one has no partner."""
        pairs = match(old, new, self.spec.min_overlap)
        lonely = [face for number, face in enumerate(old) if number not in {pair[0] for pair in pairs}]
        lonely += [face for number, face in enumerate(new) if number not in {pair[1] for pair in pairs}]
        largest = max(map(_area, old + new), default=0.0)
        if any(_area(face) >= LARGE * largest for face in lonely):
            return None
        return [(old[first], new[second]) for first, second in pairs]


def _chunks(frames: Iterable[Frame], every: int) -> Iterator[list[list[Frame]]]:
    """Yields lists of stretches; each ends with a frame to be searched: the first, each k-th after it, the last."""
    stretches: list[list[Frame]] = []
    stretch: list[Frame] = []
    held = 0
    for number, frame in enumerate(frames):
        stretch.append(frame)
        held += frame.image.nbytes
        if number % every == 0:
            stretches.append(stretch)
            stretch = []
            if len(stretches) == STRETCHES or held >= CHUNK_BYTES:
                yield stretches
                stretches, held = [], 0
    if stretch:
        stretches.append(stretch)
    if stretches:
        yield stretches


def _area(face: Detection) -> float:
    return float(geometry.area(face.box[None])[0])


def _scaled(face: Detection, ratio: np.ndarray) -> Detection:
    return Detection(face.box * np.tile(ratio, 2), face.points * ratio, face.probability)

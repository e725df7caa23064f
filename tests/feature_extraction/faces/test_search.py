import numpy as np
import pytest

from feature_extraction.faces.detect import Detection, Detector
from feature_extraction.faces.search import CHUNK_BYTES, Searcher
from feature_extraction.faces.spec import FaceSpec
from toolkit.media import Frame


class Painted(Detector):
    """Finds "faces" that are painted: red of the first row's pixels is the left edge of one each, 0 is none."""

    def __init__(self):
        self.searched, self.glanced = [], []

    def detect(self, frames):
        self.searched += [int(frame[1, 0, 0]) for frame in frames]
        return [[self._face(left) for left in frame[0, :, 0] if left] for frame in frames]

    def confirm(self, frames, boxes):
        self.glanced += [(int(frame[1, 0, 0]), box.tolist()) for frame, box in zip(frames, boxes, strict=True)]
        near = [[left for left in frame[0, :, 0] if left] for frame in frames]
        hits = [min(lefts, key=lambda x: abs(x - box[0]), default=None) for lefts, box in zip(near, boxes, strict=True)]
        return [
            self._face(left) if left is not None and abs(left - box[0]) < 8 else None
            for left, box in zip(hits, boxes, strict=True)
        ]

    def _face(self, left):
        box = np.array([left, 10, left + 30, 40], dtype=np.float32)
        return Detection(box, np.zeros((5, 2), np.float32), 0.99)


def clip(*rows, height=60, width=80):
    """Frames with faces at the given left edges; the frame's number is written into its second row."""
    frames = []
    for number, lefts in enumerate(rows):
        image = np.zeros((height, width, 3), np.uint8)
        image[0, : len(lefts), 0] = lefts
        image[1, 0, 0] = number
        frames.append(Frame(image, number / 10))
    return frames


def run(frames, **options):
    detector = Painted()
    found = list(Searcher(FaceSpec(**options), detector).run(frames))
    assert [frame.time for frame, _ in found] == [frame.time for frame in frames]
    return [[float(face.box[0]) for face in faces] for _, faces in found], detector


def test_every_kth_and_the_last_are_searched():
    found, detector = run(clip(*[[10 + n] for n in range(13)]), every=5)
    assert detector.searched == [0, 5, 10, 12]
    assert [number for number, _ in detector.glanced] == [1, 2, 3, 4, 6, 7, 8, 9, 11]
    assert found == [[10 + n] for n in range(13)]


def test_glances_at_the_interpolated_place():
    _, detector = run(clip([10], [10], [10], [10], [10], [20]), every=5)
    assert [box[0] for _, box in detector.glanced] == pytest.approx([12, 14, 16, 18])
    assert [box[2] for _, box in detector.glanced] == pytest.approx([42, 44, 46, 48])


def test_every_frame():
    _, detector = run(clip(*[[10]] * 7), every=1)
    assert detector.searched == list(range(7))
    assert detector.glanced == []


@pytest.mark.parametrize("last", range(1, 10))
def test_edge_is_found(last):
    rows = [[10]] * last + [[]] * (11 - last)
    assert run(clip(*rows), every=5)[0] == rows
    assert run(clip(*rows[::-1]), every=5)[0] == rows[::-1]


def test_nothing_is_searched_between_empty_frames():
    found, detector = run(clip(*[[]] * 11), every=5)
    assert found == [[]] * 11
    assert detector.searched == [0, 5, 10]


def test_failed_glance_is_followed_by_a_search():
    found, detector = run(clip([10], [10], [40], [], [10], [10]), every=5)
    assert found == [[10], [10], [40], [], [10], [10]]
    assert detector.searched == [0, 5, 2, 3]


def test_another_face_at_another_place_is_searched_between():
    _, detector = run(clip([10], [10], [10], [45], [45], [45]), every=5)
    assert detector.searched == [0, 5, 1, 2, 3, 4]


def test_two_faces():
    rows = [[10, 45]] * 6
    found, detector = run(clip(*rows), every=5)
    assert found == rows
    assert len(detector.glanced) == 8


def test_most_faces():
    assert run(clip(*[[1, 10, 20, 30, 40, 50]] * 2), max_faces=3, every=1)[0] == [[1, 10, 20]] * 2


def test_clip_of_one_frame_and_of_none():
    assert run(clip([10]))[0] == [[10]]
    assert run([])[0] == []


def test_chunks_do_not_show():
    rows = [[10 + n % 7] if n % 50 < 33 else [] for n in range(240)]
    found, detector = run(clip(*rows), every=5)
    assert found == rows
    assert sorted(set(detector.searched)) == sorted(detector.searched)  # nothing twice


def test_large_frames_come_one_stretch_at_a_time():
    pulled = []

    def frames():
        for number in range(12):
            pulled.append(number)
            yield Frame(np.zeros((2400, 3200, 3), np.uint8), number / 10)

    assert CHUNK_BYTES < 3 * 2400 * 3200 * 3
    found = Searcher(FaceSpec(every=3), Painted()).run(frames())
    next(found)
    assert pulled == [0, 1, 2, 3]


class Sizes(Painted):
    """Remembers what it was shown; finds one face in shrunk frames that are bright, and in all whole ones."""

    def __init__(self):
        self.shapes = []

    def detect(self, frames):
        self.shapes += [frame.shape[:2] for frame in frames]
        return [[self._face(50)] if frame.mean() > 100 or len(frame) > 360 else [] for frame in frames]


def test_large_frames_are_searched_shrunk_first():
    detector = Sizes()
    searcher = Searcher(FaceSpec(search_side=360), detector)
    bright, dark = np.full((720, 1280, 3), 200, np.uint8), np.zeros((720, 1280, 3), np.uint8)
    found = searcher.search([bright, dark])
    assert detector.shapes == [(360, 640), (360, 640), (720, 1280)]
    assert [faces[0].box.tolist() for faces in found] == [[100, 20, 160, 80], [50, 10, 80, 40]]


def test_frames_of_two_sizes():
    small, large = np.full((100, 100, 3), 200, np.uint8), np.full((200, 100, 3), 200, np.uint8)
    detector = Sizes()
    assert len(Searcher(FaceSpec(), detector).search([small, large, large])) == 3
    assert detector.shapes == [(100, 100), (200, 100), (200, 100)]

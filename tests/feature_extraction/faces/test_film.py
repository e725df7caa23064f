import time

import numpy as np
import pytest

from feature_extraction.faces import film as module
from feature_extraction.faces.film import Film, FilmFrame, likeness, mark_cuts
from feature_extraction.faces.spec import FaceSpec
from toolkit.errors import ClipError
from toolkit.media import Frame, write_video
from toolkit.status import Status

SCENE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
OTHER_SCENE = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
EVERY = FaceSpec(frame_rate=None)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, [np.full((48, 64, 3), 20 + 8 * n, np.uint8) for n in range(25)], frame_rate=25)
    return path


def numbers(frames):
    return [round((float(frame.image.mean()) - 20) / 8) for frame in frames]


def test_cuts():
    scenes = [SCENE, SCENE, OTHER_SCENE, OTHER_SCENE, SCENE]
    marked = list(mark_cuts([Frame(image, n / 10) for n, image in enumerate(scenes)], FaceSpec()))
    assert [frame.is_cut for frame in marked] == [False, False, True, False, True]
    assert [frame.time for frame in marked] == [0, 0.1, 0.2, 0.3, 0.4]
    assert marked[2].image is OTHER_SCENE


def test_likeness_that_counts_as_a_cut():
    blend = (SCENE * 0.55 + OTHER_SCENE * 0.45).astype(np.uint8)
    frames = [Frame(SCENE, 0.0), Frame(blend, 0.1)]
    assert not list(mark_cuts(frames, FaceSpec(min_likeness=0.35)))[1].is_cut
    assert list(mark_cuts(frames, FaceSpec(min_likeness=0.95)))[1].is_cut


def test_likeness():
    assert likeness(SCENE.astype(float), SCENE.astype(float) * 0.5 + 9) == pytest.approx(1)
    assert likeness(SCENE.astype(float), -SCENE.astype(float)) == pytest.approx(-1)
    assert likeness(np.zeros((2, 2)), np.ones((2, 2))) == 0


def test_frames_at_the_rate(clip):
    assert numbers(Film(clip, EVERY)) == list(range(25))
    frames = list(Film(clip, FaceSpec(frame_rate=5)))
    assert numbers(frames) == [0, 5, 10, 15, 20]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize("ready", [1, 3])
def test_only_the_beginning_is_decoded_at_first(clip, monkeypatch, ready):
    decoded = []

    def counted(path, rate):
        for number in range(20):
            decoded.append(number)
            yield Frame(np.full((48, 64, 3), 20 + 8 * number, np.uint8), number / 10)

    monkeypatch.setattr(module, "iterate_frames", counted)
    monkeypatch.setattr(module, "READY_BYTES", ready * 48 * 64 * 3)
    frames = iter(Film(clip, EVERY))
    assert len(decoded) == ready
    first = [next(frames) for _ in range(ready + 1)]
    time.sleep(0.1)
    assert len(decoded) <= 2 * ready + 2  # those used, as many waiting, and one in the making
    assert numbers([*first, *frames]) == list(range(20))


def test_missing(tmp_path):
    with pytest.raises(ClipError) as caught:
        Film(tmp_path / "none.mp4", EVERY)
    assert caught.value.status is Status.MISSING


def test_damage_after_the_beginning(clip, monkeypatch):
    def damaged(path, rate):
        yield Frame(SCENE, 0.0)
        yield Frame(SCENE, 0.1)
        raise ClipError(Status.UNREADABLE, "damaged")

    monkeypatch.setattr(module, "iterate_frames", damaged)
    monkeypatch.setattr(module, "READY_BYTES", 1)
    frames = iter(Film(clip, EVERY))
    assert isinstance(next(frames), FilmFrame)
    next(frames)
    with pytest.raises(ClipError, match="damaged"):
        next(frames)

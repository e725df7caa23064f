"""Face crops out of a cache, some of each clip."""

import numpy as np
import pytest

from baseline.face_clips.face_cache import FaceCache
from toolkit.cache import cache_path
from toolkit.corpus import load_corpus
from toolkit.errors import ClipError, UserError


@pytest.fixture
def clips(face_clips):
    corpus = load_corpus(str(face_clips / "clips.csv"))
    return FaceCache(corpus, cache_path(face_clips / "cache", "clips", "faces", "mtcnn"))


def test_crops_are_those_that_were_put_in(clips, face_pictures):
    clip = clips.open(4)
    assert (clip.name, len(clip)) == ("clip_5", 20)
    numbers = np.array([0, 7, 7, 19, 19])
    np.testing.assert_array_equal(clip.pictures(numbers), face_pictures(5)[numbers])
    np.testing.assert_allclose(clip.times, np.arange(20) / 25)


def test_clips_without_a_face_are_known_from_the_start(clips):
    assert list(clips.names) == ["clip_0", "clip_1", "clip_2", "clip_4", "clip_5", "clip_6", "clip_7"]
    assert {name: str(error) for name, error in clips.left_out.items()} == {"clip_3": "no_face: no frame shows a face"}


def test_only_the_wanted_crops_are_read(clips, monkeypatch):
    clip, read = clips.open(0), []
    fill = clips.cache.file.read

    def noted(name, start, stop):
        read.append((name, stop - start))
        return fill(name, start, stop)

    monkeypatch.setattr(clips.cache.file, "read", noted)
    sizes = clips.cache.ragged("frames/size", "clip_0")
    clip.pictures(np.array([2, 11]))
    assert [length for name, length in read if name == "jpeg/bytes"] == [sizes[2], sizes[11]]


def test_a_crop_without_bytes_is_unreadable(clips, monkeypatch):
    clip, read = clips.open(0), clips.cache.file.read

    def emptied(name, start, stop):
        return read(name, start, start if name == "jpeg/bytes" else stop)

    monkeypatch.setattr(clips.cache.file, "read", emptied)
    with pytest.raises(ClipError, match="crop 2 of 'clip_0' is no JPEG"):
        clip.pictures(np.array([2]))


def test_a_cache_that_is_not_there_and_one_that_lacks_a_clip_are_named(face_clips, tmp_path):
    corpus = load_corpus(str(face_clips / "clips.csv"))
    with pytest.raises(UserError, match=r"No faces at .*feature_extraction faces"):
        FaceCache(corpus, tmp_path / "mtcnn.h5")
    (face_clips / "more.csv").write_text("name,video\nclip_0,clip_0.mp4\nother,other.mp4\n", encoding="utf-8")
    more = load_corpus(str(face_clips / "more.csv"))
    with pytest.raises(UserError, match="has no clip 'other'"):
        FaceCache(more, cache_path(face_clips / "cache", "clips", "faces", "mtcnn"))

"""Clips of one or several corpora."""

import numpy as np
import pytest

from baseline.face_clips.sources import open_clips
from toolkit.corpus import load_corpus
from toolkit.errors import UserError


@pytest.fixture
def corpus(face_clips):
    return load_corpus(str(face_clips / "clips.csv"))


@pytest.fixture
def two(face_clips, corpus):
    (face_clips / "second.csv").write_text("name,video\nclip_0,clip_7.mp4\nnone,\n", encoding="utf-8")
    return [corpus, load_corpus(str(face_clips / "second.csv"))]


def test_faces_and_videos_of_one_corpus(face_clips, corpus, face_pictures):
    faces = open_clips([corpus], "faces", cache=face_clips / "cache")
    videos = open_clips([corpus], "video")
    assert (len(faces), len(videos)) == (7, 8)
    np.testing.assert_array_equal(faces.open(6).pictures(np.array([5])), face_pictures(7)[[5]])
    assert abs(videos.open(7).pictures(np.array([5])).astype(int) - face_pictures(7)[[5]]).mean() < 5


def test_several_corpora_are_one(two):
    clips = open_clips(two, "video")
    assert list(clips.names)[-2:] == ["clips/clip_7", "second/clip_0"]
    assert list(clips.left_out) == ["second/none"]
    last = [clips.open(number).pictures(np.array([0])) for number in (7, 8)]
    np.testing.assert_array_equal(*last)
    assert not np.array_equal(last[1], clips.open(0).pictures(np.array([0])))


def test_mistakes_are_named(two, corpus, face_clips):
    with pytest.raises(UserError, match="--cache"):
        open_clips([corpus], "faces")
    with pytest.raises(UserError, match="Two corpora are called 'clips'"):
        open_clips([corpus, corpus], "video")
    nothing = two[1].only(two[1].table["name"] == "none")
    with pytest.raises(UserError, match="None of 1 clips of second can be read; the first, 'none': no_video"):
        open_clips([nothing], "video")

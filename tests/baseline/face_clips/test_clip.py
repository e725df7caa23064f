"""The sound of a clip."""

import numpy as np
import pytest

from baseline.face_clips.video_files import VideoFiles
from toolkit.corpus import load_corpus
from toolkit.errors import ClipError
from toolkit.media import read_sound


@pytest.fixture
def clips(face_clips):
    return VideoFiles(load_corpus(str(face_clips / "clips.csv")))


def test_sound_between_two_pictures_is_cut_by_their_times(clips, face_clips):
    samples = read_sound(face_clips / "clip_1.wav", rate=16000).samples
    np.testing.assert_array_equal(clips.open(1).sound_between(5, 15), samples[3200:9600])
    np.testing.assert_array_equal(clips.open(1).sound, samples)


def test_silence_is_no_sound(clips):
    with pytest.raises(ClipError, match=r"^silent"):
        _ = clips.open(5).sound


def test_a_video_is_heard_where_the_corpus_names_no_sound(face_clips):
    (face_clips / "mute.csv").write_text("name,video\nclip_0,clip_0.mp4\n", encoding="utf-8")
    with pytest.raises(ClipError, match=r"^no_audio: .*clip_0.mp4"):
        _ = VideoFiles(load_corpus(str(face_clips / "mute.csv"))).open(0).sound

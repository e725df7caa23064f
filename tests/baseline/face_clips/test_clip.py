"""The sound of a clip."""

import numpy as np
import pytest
import soundfile

from baseline.face_clips.clip import Clip
from baseline.face_clips.picture_folder import PictureFolder
from baseline.face_clips.video_files import VideoFiles
from toolkit.corpus import load_corpus
from toolkit.errors import ClipError
from toolkit.frame_sampling import Choice
from toolkit.media import read_sound

RATE = 16000


class Timed(Clip):
    """Pictures at some times, which nobody looks at."""

    def pictures(self, numbers):
        raise AssertionError(numbers)


@pytest.fixture
def sound_file(tmp_path):
    """Seconds whose samples say when they are."""

    def write(seconds=4.0):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, np.linspace(-0.5, 0.5, int(seconds * RATE)), RATE, subtype="FLOAT")
        return path

    return write


def choice(first, last):
    return Choice(np.linspace(first, last, 16).astype(int), first, last)


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


def test_pictures_with_times_are_heard_when_they_are_seen(sound_file):
    """Ten pictures of the third second: pictures 0 to 9 end at 2.9 s, though they are all there are."""
    clip = Timed("c", 2 + np.arange(10) / 10, sound_file())
    assert clip.sound_with(choice(0, 9)) == pytest.approx(clip.sound[2 * RATE : int(2.9 * RATE)])
    assert len(clip.sound_with(choice(3, 5))) == pytest.approx(0.2 * RATE, abs=1)


def test_folders_have_no_times_and_are_spread_over_the_sound(sound_file, tmp_path):
    """Of five pictures, 1 to 3 are the second and third quarter of four seconds."""
    (tmp_path / "c").mkdir()
    for number in range(5):
        (tmp_path / "c" / f"{number}.png").touch()
    clip = PictureFolder("c", tmp_path / "c", sound_file())
    assert clip.sound_with(choice(1, 3)) == pytest.approx(clip.sound[RATE : 3 * RATE])


def test_pictures_that_leave_next_to_nothing(sound_file):
    brief = Timed("c", np.array([0.5, 0.53]), sound_file())  # 480 samples: spread over the sound it is all of it
    assert len(brief.sound_with(choice(0, 1))) == 4 * RATE
    short = Timed("c", np.array([0.5]), sound_file(1.5))
    assert len(short.sound_with(choice(0, 0))) == 1.5 * RATE
    with pytest.raises(ClipError, match=r"^too_short: .* 0 samples of sound"):
        Timed("c", np.array([0.5]), sound_file(3.0)).sound_with(choice(0, 0))

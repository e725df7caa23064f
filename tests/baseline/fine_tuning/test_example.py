"""The sound that goes with pictures, and which clips have how many views."""

import numpy as np
import pytest
import soundfile
import torch

from baseline.face_clips.clip import Clip
from baseline.face_clips.picture_folder import PictureFolder
from baseline.fine_tuning.example import ExampleMaker, sound_with
from baseline.fine_tuning.settings import AugmentationSettings, PictureSettings
from toolkit.errors import ClipError
from toolkit.filter_bank import filter_bank_example
from toolkit.frame_sampling import Choice

RATE = 16000


class Timed(Clip):
    """A clip of grey pictures at some times."""

    def pictures(self, numbers):
        return np.full((len(numbers), 8, 8, 3), 100, np.uint8)


@pytest.fixture
def sound_file(tmp_path):
    """Four seconds whose samples say when they are."""

    def write(seconds=4.0):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, np.linspace(-0.5, 0.5, int(seconds * RATE)), RATE, subtype="FLOAT")
        return path

    return write


def choice(first, last):
    return Choice(np.linspace(first, last, 16).astype(int), first, last)


def test_pictures_with_times_are_heard_when_they_are_seen(sound_file):
    """Ten pictures of the third second: pictures 0 to 9 end at 2.9 s, though they are all there are."""
    clip = Timed("c", 2 + np.arange(10) / 10, sound_file())
    assert sound_with(clip, choice(0, 9)) == pytest.approx(clip.sound[2 * RATE : int(2.9 * RATE)])
    assert len(sound_with(clip, choice(3, 5))) == pytest.approx(0.2 * RATE, abs=1)


def test_folders_have_no_times_and_are_spread_over_the_sound(sound_file, make_clip, tmp_path):
    """Of five pictures, 1 to 3 are the second and third quarter of four seconds."""
    clip = PictureFolder("c", make_clip(tmp_path / "c", (9, 9, 9), frames=5), sound_file())
    assert sound_with(clip, choice(1, 3)) == pytest.approx(clip.sound[RATE : 3 * RATE])


def test_pictures_that_leave_next_to_nothing(sound_file):
    brief = Timed("c", np.array([0.5, 0.53]), sound_file())  # 480 samples: spread over the sound it is all of it
    assert len(sound_with(brief, choice(0, 1))) == 4 * RATE
    short = Timed("c", np.array([0.5]), sound_file(1.5))
    assert len(sound_with(short, choice(0, 0))) == 1.5 * RATE
    with pytest.raises(ClipError, match="0 samples of sound"):
        sound_with(Timed("c", np.array([0.5]), sound_file(3.0)), choice(0, 0))


def maker(gain="training", streams=("audio", "video")):
    return ExampleMaker(streams, 8, 256, PictureSettings(), AugmentationSettings(gain=gain))


def test_what_is_scored_has_its_sound_as_it_is_unless_released(sound_file):
    clip = Timed("c", np.arange(100) / 25, sound_file())
    plain = maker().to_score(clip, np.random.default_rng(0))
    assert plain["video"].shape == (2, 3, 16, 8, 8)
    assert plain["audio"].shape == (2, 1, 256, 128)
    # Every fourth of 100 pictures, and one at the end: 0 to 60 and 36 to 96, a step more being heard, at 25 a second.
    expected = [
        filter_bank_example(clip.sound[int(a / 25 * RATE) : int(b / 25 * RATE)]) for a, b in ((0, 64), (36, 99))
    ]
    assert plain["audio"][:, 0].numpy() == pytest.approx(np.stack(expected), abs=1e-5)
    assert torch.equal(maker("never").to_score(clip, np.random.default_rng(0))["audio"], plain["audio"])
    released = maker("always").to_score(clip, np.random.default_rng(0))["audio"]
    assert (released - plain["audio"]).abs().max() > 1e-3


def test_gain_while_learning(sound_file):
    clip = Timed("c", np.arange(10) / 25, sound_file())
    learnt = [
        maker(gain, ("audio",)).to_learn(clip, np.random.default_rng(0))["audio"] for gain in ("never", "training")
    ]
    assert learnt[0].shape == (1, 1, 256, 128)
    assert not torch.equal(*learnt)


def test_one_view_as_released(sound_file):
    clip = Timed("c", np.arange(100) / 25, sound_file())
    inputs = maker().to_choose_as_released(clip, np.random.default_rng(0))
    assert len(inputs["video"]) == len(inputs["audio"]) == 1

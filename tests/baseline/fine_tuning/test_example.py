"""Which clips have how many views, and what is heard with them."""

import numpy as np
import pytest
import soundfile
import torch

from baseline.face_clips.clip import Clip
from baseline.fine_tuning.example import ExampleMaker
from baseline.fine_tuning.settings import AugmentationSettings, PictureSettings
from toolkit.filter_bank import filter_bank_example

RATE = 16000


class Timed(Clip):
    """A clip of grey pictures at some times."""

    def pictures(self, numbers):
        return np.full((len(numbers), 8, 8, 3), 100, np.uint8)


@pytest.fixture
def sound_file(tmp_path):
    """Four seconds whose samples say when they are."""

    path = tmp_path / "sound.wav"
    soundfile.write(path, np.linspace(-0.5, 0.5, 4 * RATE), RATE, subtype="FLOAT")
    return path


def maker(gain="training", streams=("audio", "video")):
    return ExampleMaker(streams, 8, 256, PictureSettings(), AugmentationSettings(gain=gain))


def test_what_is_scored_has_its_sound_as_it_is_unless_released(sound_file):
    clip = Timed("c", np.arange(100) / 25, sound_file)
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
    clip = Timed("c", np.arange(10) / 25, sound_file)
    learnt = [
        maker(gain, ("audio",)).to_learn(clip, np.random.default_rng(0))["audio"] for gain in ("never", "training")
    ]
    assert learnt[0].shape == (1, 1, 256, 128)
    assert not torch.equal(*learnt)


def test_one_view_as_released(sound_file):
    clip = Timed("c", np.arange(100) / 25, sound_file)
    inputs = maker().to_choose_as_released(clip, np.random.default_rng(0))
    assert len(inputs["video"]) == len(inputs["audio"]) == 1

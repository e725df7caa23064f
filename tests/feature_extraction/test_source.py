"""What encoders are given, from good and bad rows."""

import numpy as np
import pytest

from feature_extraction.encoder import get_spec
from feature_extraction.source import SoundSource, TextSource, VideoSource
from toolkit.errors import ClipError
from toolkit.media import Sound, write_sound
from toolkit.status import Status

NAN = float("nan")


@pytest.fixture
def sounds(tmp_path):
    """A tone, a silent track and a broken file."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    write_sound(tmp_path / "tone.wav", Sound(tone, 16000))
    write_sound(tmp_path / "silent.wav", Sound(tone * 0, 16000))
    (tmp_path / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    return SoundSource(tmp_path, [8000, 16000])


def test_sound_at_the_wanted_rate(sounds):
    loaded = sounds.load({"name": "a", "audio": "tone.wav", "video": NAN})
    assert {rate: len(sound.samples) for rate, sound in loaded.items()} == {8000: 8000, 16000: 16000}
    assert sounds.size(loaded) == 1.0
    sound = sounds.view(loaded, get_spec("prosody", "audio"))
    assert sound.rate == 16000
    assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.01)


def test_audio_goes_before_video(sounds):
    assert sounds.load({"name": "a", "audio": "tone.wav", "video": "absent.mp4"})[8000].rate == 8000


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"audio": "silent.wav", "video": NAN}, Status.SILENT),
        ({"audio": "broken.wav", "video": NAN}, Status.UNREADABLE),
        ({"audio": NAN, "video": "absent.mp4"}, Status.MISSING),
        ({"audio": NAN, "video": NAN}, Status.NO_AUDIO),
    ],
)
def test_bad_sound_has_a_status(sounds, row, status):
    with pytest.raises(ClipError) as error:
        sounds.load(row)
    assert error.value.status is status


@pytest.mark.parametrize("text", [NAN, "", "   ", "\u3000\n"])
def test_empty_text(text):
    with pytest.raises(ClipError) as error:
        TextSource("text").load({"text": text})
    assert error.value.status is Status.EMPTY_TEXT


def test_text_without_blanks_around_it():
    assert TextSource("english").load({"english": " so happy \n"}) == "so happy"


def test_column_the_corpus_does_not_have():
    with pytest.raises(ClipError, match="no transcript in column 'english'"):
        TextSource("english").load({"text": "hello"})


def test_no_video(tmp_path):
    with pytest.raises(ClipError) as error:
        VideoSource(tmp_path).load({"video": NAN})
    assert error.value.status is Status.NO_VIDEO

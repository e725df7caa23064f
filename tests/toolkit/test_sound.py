"""Sound out of media files: alignment, length, resampling, bad input."""

import math

import numpy as np
import pytest

from toolkit.errors import ClipError
from toolkit.media import (
    Sound,
    is_silent,
    read_sound,
    read_sounds,
    require_audible,
    write_sound,
    write_video,
)
from toolkit.sound import peak
from toolkit.spool import Spool
from toolkit.status import Status


def status_of(call):
    with pytest.raises(ClipError) as error:
        call()
    return error.value.status


def test_sound_is_aligned_and_trimmed(tmp_path, numbered):
    samples = np.zeros(32000, np.float32)
    samples[8000] = 0.9
    write_video(tmp_path / "click.mp4", numbered(50), frame_rate=25, sound=Sound(samples, 16000))
    sound = read_sound(tmp_path / "click.mp4", rate=16000)
    assert sound.samples.shape == (32000,)
    assert sound.samples.dtype == np.float32
    assert abs(int(np.abs(sound.samples).argmax()) - 8000) <= 16  # one millisecond


@pytest.mark.parametrize(("length", "rate"), [(1, 16000), (1023, 16000), (16001, 16000), (40007, 44100)])
def test_sound_comes_back_to_the_sample(tmp_path, numbered, tone, length, rate):
    sound = Sound(tone(2.0, rate).samples[:length], rate)
    write_video(tmp_path / "clip.mp4", numbered(5), frame_rate=25, sound=sound)
    assert len(read_sound(tmp_path / "clip.mp4", rate=rate).samples) == length


def test_twelve_seconds_of_aac_are_192000_samples(encode):
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 12 * 48000))
    sound = read_sound(encode("noise.m4a", audio="aac", samples=noise, rate=48000), rate=16000)
    assert sound.samples.shape == (192000,)
    assert sound.seconds == 12.0


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("b.wav", "pcm_u8"), ("c.wav", "pcm_s32le"), ("d.wav", "pcm_f32le"),
                    ("e.flac", "flac"), ("f.mp3", "mp3"), ("g.m4a", "aac"), ("h.ogg", "libopus")]
)  # fmt: skip
def test_formats(encode, name, codec):
    rate = 48000
    time = np.arange(rate) / rate
    sweep = 0.5 * np.sin(2 * np.pi * (200 + 800 * time) * time)
    got = read_sound(encode(name, audio=codec, samples=sweep[None], rate=rate), rate=rate).samples
    assert got.shape == (rate,)
    if name.endswith(("wav", "flac")):
        np.testing.assert_allclose(got, sweep, atol=0.005)
    middle = np.arange(rate // 4, 3 * rate // 4)
    errors = [float(np.square(got[middle + lag] - sweep[middle]).mean()) for lag in range(-48, 49)]
    assert int(np.argmin(errors)) - 48 == 0  # not a sample early or late
    assert min(errors) < 0.01 * np.square(sweep).mean()


def test_channels_are_averaged(encode, tone):
    left = tone(0.5).samples
    path = encode("stereo.wav", audio="pcm_s16le", samples=np.stack([left, -left / 2]))
    np.testing.assert_allclose(read_sound(path, rate=16000).samples, left / 4, atol=1e-4)


def test_resampling_has_no_delay(tmp_path, tone):
    write_sound(tmp_path / "high.wav", tone(1.0, 44100))
    sound = read_sound(tmp_path / "high.wav", rate=16000)
    assert sound.samples.shape == (16000,)
    np.testing.assert_allclose(sound.samples[2000:-2000], tone(1.0).samples[2000:-2000], atol=2e-4)


def test_sound_that_starts_late_is_padded_with_silence(encode, numbered, tone):
    path = encode("late.mp4", video="libx264", images=numbered(50), audio="aac", samples=tone(1.0).samples[None],
                  start=0.5)  # fmt: skip
    samples = read_sound(path, rate=16000).samples
    assert (np.abs(samples) > 0.1).argmax() / 16000 == pytest.approx(0.5, abs=0.005)
    assert len(samples) / 16000 == pytest.approx(1.5, abs=0.005)


def test_clock_that_jumps_is_not_filled_with_silence(encode, numbered, tone):
    path = encode("jump.mp4", video="libx264", images=numbered(5), audio="aac", samples=tone(0.5).samples[None],
                  start=20000.0)  # fmt: skip
    with pytest.raises(ClipError, match="time stamps jump by 20000 s") as error:
        read_sound(path, rate=16000)
    assert error.value.status is Status.UNREADABLE


def test_wav_round_trip_is_exact(tmp_path):
    steps = np.array([-32768, -1, 0, 1, 32767], np.int16)
    write_sound(tmp_path / "steps.wav", Sound((steps / 32768).astype(np.float32), 8000))
    sound = read_sound(tmp_path / "steps.wav", rate=8000)
    assert (sound.samples * 32768).tolist() == steps.tolist()
    write_sound(tmp_path / "loud.wav", Sound(np.array([-3, 3], np.float32), 8000))
    assert (read_sound(tmp_path / "loud.wav", rate=8000).samples * 32768).tolist() == [-32768, 32767]


def test_no_audio(make_clip):
    assert status_of(lambda: read_sound(make_clip(sound=False), rate=16000)) is Status.NO_AUDIO


def test_empty_sound(tmp_path):
    write_sound(tmp_path / "empty.wav", Sound(np.zeros(0, np.float32), 16000))
    assert status_of(lambda: read_sound(tmp_path / "empty.wav", rate=16000)) is Status.NO_AUDIO


def test_not_finite(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "nan.wav", np.array([0.1, math.nan, 0.2] * 1000), 16000, subtype="FLOAT")
    assert status_of(lambda: read_sound(tmp_path / "nan.wav", rate=16000)) is Status.UNREADABLE


def test_silent(tmp_path, numbered):
    silence = Sound(np.zeros(16000, np.float32), 16000)
    write_video(tmp_path / "mute.mp4", numbered(25), frame_rate=25, sound=silence)
    sound = read_sound(tmp_path / "mute.mp4", rate=16000)  # AAC gives silence back as silence
    assert is_silent(sound)
    with pytest.raises(ClipError, match="silent") as error:
        require_audible(sound, tmp_path / "mute.mp4")
    assert error.value.status is Status.SILENT
    assert is_silent(Sound(np.full(100, 1 / 32768, np.float32), 16000))
    assert is_silent(Sound(np.zeros(0, np.float32), 16000))


def test_quiet_is_not_silent(tone):
    whisper = tone(1.0, level=1e-3)
    assert require_audible(whisper, "whisper.wav") is whisper


def test_several_rates_in_one_reading(tmp_path, tone):
    import soxr

    sound = tone(3.3, 44100)
    write_sound(tmp_path / "tone.wav", sound)
    kept = read_sound(tmp_path / "tone.wav", rate=44100).samples
    sounds = read_sounds(tmp_path / "tone.wav", rates=[16000, 44100, 48000])
    np.testing.assert_array_equal(sounds[44100].samples, kept)
    for rate in (16000, 48000):  # in blocks, yet as if resampled at once
        whole = soxr.resample(kept, 44100, rate, quality="HQ")
        assert sounds[rate].rate == rate
        np.testing.assert_allclose(sounds[rate].samples, np.clip(whole, -1, 1), atol=1e-6)
        np.testing.assert_array_equal(sounds[rate].samples, read_sound(tmp_path / "tone.wav", rate=rate).samples)


def test_long_sound_stays_in_a_file(tmp_path, tone, monkeypatch):
    monkeypatch.setattr("toolkit.sound.Spool", lambda: Spool(limit=100_000))
    write_sound(tmp_path / "tone.wav", tone(5.0, 16000))
    short, long = (read_sound(tmp_path / "tone.wav", rate=rate).samples for rate in (4000, 16000))
    assert not isinstance(short, np.memmap)
    assert isinstance(long, np.memmap)
    assert not long.flags.writeable
    monkeypatch.undo()
    np.testing.assert_array_equal(long, read_sound(tmp_path / "tone.wav", rate=16000).samples)


def test_peak_and_silence():
    assert peak(Sound(np.array([0.1, -0.4], np.float32), 8000)) == np.float32(0.4)
    assert is_silent(Sound(np.zeros(0, np.float32), 8000))
    assert is_silent(Sound(np.full(9, -2 / 32768, np.float32), 8000))
    assert not is_silent(Sound(np.array([0, -3 / 32768], np.float32), 8000))


def test_a_rate_named_twice_is_read_once(tmp_path, tone):
    write_sound(tmp_path / "tone.wav", tone(1.0, 16000))
    sounds = read_sounds(tmp_path / "tone.wav", rates=[16000, 8000, 16000])
    assert {rate: len(sound.samples) for rate, sound in sounds.items()} == {16000: 16000, 8000: 8000}

"""Noise from a folder, and built-in babble."""

import numpy as np
import pytest

from toolkit.babble import make_babble
from toolkit.errors import UserError
from toolkit.media import Sound, read_sound, write_sound
from toolkit.noise import BabbleBank, FolderBank, open_noises


def seeded(seed):
    return np.random.default_rng(seed)


def ramp(start, count):
    """Samples that tell their own position, in steps of 16 bits."""
    return Sound((np.arange(start, start + count) / 32768).astype(np.float32), 16000)


def test_piece_is_an_exact_crop(tmp_path):
    write_sound(tmp_path / "a.wav", ramp(1000, 8000))
    bank = open_noises(tmp_path)
    starts = set()
    for seed in range(20):
        piece = bank.draw(3000, 16000, seeded(seed))
        positions = np.round(piece.samples * 32768).astype(int)
        assert (np.diff(positions) == 1).all()
        assert len(positions) == 3000
        start = positions[0] - 1000
        assert piece.label == f"a.wav@{start / 16000:.5f}s"
        starts.add(start)
    assert len(starts) > 15
    assert min(starts) >= 0
    assert max(starts) <= 5000


def test_files_are_joined_until_longer_than_the_clip(tmp_path):
    write_sound(tmp_path / "a.wav", ramp(1, 500))
    (tmp_path / "more").mkdir()
    write_sound(tmp_path / "more" / "b.wav", ramp(2001, 500))
    piece = open_noises(tmp_path).draw(1000, 16000, seeded(3))
    names, _, start = piece.label.partition("@")
    assert len(names.split("+")) == 3  # two are as long as the clip, not longer
    first = {"a.wav": 1, "more/b.wav": 2001}
    whole = np.concatenate([np.arange(first[name], first[name] + 500) for name in names.split("+")])
    offset = round(float(start[:-1]) * 16000)
    assert (np.round(piece.samples * 32768) == whole[offset : offset + 1000]).all()


def test_same_seed_same_piece(tmp_path):
    write_sound(tmp_path / "a.wav", ramp(1000, 8000))
    for bank in (open_noises(tmp_path), BabbleBank()):
        one, other = bank.draw(4000, 16000, seeded(1)), bank.draw(4000, 16000, seeded(1))
        assert one.label == other.label
        assert (one.samples == other.samples).all()
        assert (one.samples != bank.draw(4000, 16000, seeded(2)).samples).any()


def test_silent_piece_is_drawn_again(tmp_path):
    samples = np.zeros(16000, np.float32)
    samples[8000:8100] = 0.5
    write_sound(tmp_path / "mostly.wav", Sound(samples, 16000))
    bank = open_noises(tmp_path)
    for seed in range(10):
        assert np.abs(bank.draw(2000, 16000, seeded(seed)).samples).max() > 0.4


def test_silent_folder(tmp_path):
    write_sound(tmp_path / "nothing.wav", Sound(np.zeros(8000, np.float32), 16000))
    with pytest.raises(UserError, match="silent"):
        open_noises(tmp_path).draw(2000, 16000, seeded(0))


def test_unreadable_recording(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError, match=r"bad\.wav.*Take it out"):
        open_noises(tmp_path).draw(2000, 16000, seeded(0))


def test_no_folder_and_empty_folder(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        open_noises(tmp_path / "nowhere")
    (tmp_path / "readme.md").write_text("hi")
    with pytest.raises(UserError, match="no sound file"):
        open_noises(tmp_path)


def test_identity_follows_the_files(tmp_path):
    write_sound(tmp_path / "a.wav", ramp(0, 500))
    first = open_noises(tmp_path).identity
    assert open_noises(tmp_path).identity == first
    write_sound(tmp_path / "b.wav", ramp(0, 500))
    assert open_noises(tmp_path).identity != first
    assert open_noises(None) == BabbleBank()


def test_real_noises(shared_data):
    bank = open_noises(shared_data / "noise_rir_samples")
    assert isinstance(bank, FolderBank)
    assert len(bank.files) == 14
    piece = bank.draw(32000, 16000, seeded(5))
    assert piece.samples.shape == (32000,)
    name = piece.label.partition("@")[0]
    if "+" not in name:
        start = round(float(piece.label.partition("@")[2][:-1]) * 16000)
        whole = read_sound(shared_data / "noise_rir_samples" / name, rate=16000).samples
        assert (piece.samples == whole[start : start + 32000]).all()


@pytest.mark.parametrize("length", [10, 800, 16000, 48000])
def test_babble_of_any_length(length):
    babble = make_babble(length, 16000, seeded(0))
    assert babble.shape == (length,)
    assert np.isfinite(babble).all()
    assert np.abs(babble).max() > 1e-3


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_babble_sounds_like_speech(rate):
    babble = make_babble(4 * rate, rate, seeded(0))
    assert np.sqrt(np.mean(babble**2)) == pytest.approx(0.1, rel=0.01)
    power, frequency = np.abs(np.fft.rfft(babble)) ** 2, np.fft.rfftfreq(len(babble), 1 / rate)

    def share(low, high):
        return power[(frequency >= low) & (frequency < high)].sum() / power.sum()

    assert share(80, 1000) > 0.6  # the long-term spectrum of speech: most below 1 kHz, little beyond 4 kHz
    assert share(1000, 4000) > 0.03
    assert share(4000, rate) < 0.05
    assert share(0, 60) < 0.01
    # Syllables: one voice's loudness comes and goes three to ten times a second, more than at any faster pace.
    voice = make_babble(8 * rate, rate, seeded(1), voices=1)
    loudness = np.sqrt(np.mean(voice[: len(voice) // 80 * 80].reshape(-1, rate // 100) ** 2, axis=1))
    rhythm = np.abs(np.fft.rfft(loudness - loudness.mean())) ** 2
    pace = np.fft.rfftfreq(len(loudness), 0.01)
    assert rhythm[(pace > 1) & (pace < 10)].sum() > 2 * rhythm[pace >= 10].sum()

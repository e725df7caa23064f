"""Filter banks against the reference's numbers and against the definition, written out slowly."""

import math

import numpy as np
import pytest
from safetensors.numpy import load_file

from toolkit.filter_bank import BANDS, FRAMES, HOP, WINDOW, filter_bank, filter_bank_example

PADDED = 4.2677393 / (2 * 4.5689974)  # what a frame of zeros becomes


@pytest.mark.parametrize(("name", "heard"), [("short_20000", 123), ("long_42000", 256)])
def test_examples_are_those_of_the_reference(parity, name, heard):
    vectors = load_file(parity / "ssl_aux.safetensors")
    samples = vectors[f"fbank/{name}_wave_int16"][0] / np.float32(32768)
    ours, theirs = filter_bank_example(samples), vectors[f"fbank/{name}_normalised"]
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)  # theirs are float32 all through
    assert np.abs(ours - theirs).mean() < 1e-6
    assert np.ptp(ours[heard - 1]) > 0.1
    np.testing.assert_allclose(ours[heard:], PADDED, rtol=0, atol=1e-6)


def slow(frame: np.ndarray) -> list[float]:
    """The bands of one window, a sum at a time."""
    mean = math.fsum(frame) / WINDOW
    centred = [value - mean for value in frame]
    sharp = [value - 0.97 * centred[max(place - 1, 0)] for place, value in enumerate(centred)]
    shaped = [v * (0.5 - 0.5 * math.cos(2 * math.pi * n / (WINDOW - 1))) for n, v in enumerate(sharp)]
    low, high = 1127 * math.log(1 + 20 / 700), 1127 * math.log(1 + 8000 / 700)
    step = (high - low) / (BANDS + 1)
    energies = [0.0] * BANDS
    for number in range(1, 256):
        angles = -2j * math.pi * number / 512 * np.arange(WINDOW)
        power = abs(np.exp(angles) @ shaped) ** 2
        place = (1127 * math.log(1 + number * 31.25 / 700) - low) / step  # in units of a band, 1 is the first's middle
        for band in range(BANDS):
            energies[band] += power * max(0.0, 1 - abs(place - (band + 1)))
    return [math.log(max(energy, 2.0**-23)) for energy in energies]


def test_the_definition_written_out():
    random = np.random.default_rng(0)
    samples = random.normal(0.2, 0.1, WINDOW + 2 * HOP) * np.linspace(0, 1, WINDOW + 2 * HOP)
    ours = filter_bank(samples)
    theirs = [slow(samples[start : start + WINDOW]) for start in (0, HOP, 2 * HOP)]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)  # a float32 of size 16 is that exact


def test_only_whole_windows_count():
    lengths = (0, 399, 400, 559, 560, 40960)
    assert [len(filter_bank(np.ones(samples, np.float32))) for samples in lengths] == [0, 0, 1, 1, 2, 254]


def test_silence_is_the_floor_and_a_constant_is_not_heard():
    np.testing.assert_allclose(filter_bank(np.zeros(400)), math.log(2.0**-23), rtol=1e-6)
    sound = np.random.default_rng(1).normal(0, 0.1, 4000)
    np.testing.assert_allclose(filter_bank(sound + 0.25), filter_bank(sound), rtol=0, atol=1e-5)


def test_a_tone_is_loudest_in_its_band():
    low, high = 1127 * np.log1p(20 / 700), 1127 * np.log1p(8000 / 700)
    middles = 700 * np.expm1((low + (np.arange(BANDS) + 1) * (high - low) / (BANDS + 1)) / 1127)
    for band in (60, 90, 120):  # lower bands are narrower than the window can tell apart
        tone = np.sin(2 * np.pi * middles[band] * np.arange(1600) / 16000)
        assert filter_bank(tone).argmax(axis=1).tolist() == [band] * 8


def test_twice_as_loud_is_two_logarithms_of_two_more():
    sound = np.random.default_rng(2).normal(0, 0.1, 1600)
    before, after = filter_bank(sound), filter_bank(2 * sound)
    heard = before[0] > math.log(2.0**-23)  # some of the lowest bands lie between two lines of the spectrum
    assert 120 < heard.sum() < BANDS
    np.testing.assert_allclose(after[:, heard] - before[:, heard], 2 * math.log(2), rtol=0, atol=1e-5)
    np.testing.assert_allclose(after[:, ~heard], math.log(2.0**-23), rtol=1e-6)


def test_an_example_reads_no_more_than_its_frames():
    sound = np.random.default_rng(3).normal(0, 0.1, 16000 * 5)
    whole = filter_bank_example(sound)
    end = (FRAMES - 1) * HOP + WINDOW
    np.testing.assert_array_equal(filter_bank_example(sound[:end]), whole)
    np.testing.assert_allclose(filter_bank_example(sound, 40), whole[:40], rtol=0, atol=1e-6)
    assert np.ptp(filter_bank_example(sound[: end - 1])[-1]) == 0  # the last frame lacks a sample

"""Spectra and cepstra."""

import numpy as np
import pytest

from feature_extraction.acoustics.spectrum import (
    bin_frequencies,
    cepstra,
    cosines,
    deltas,
    mel_filters,
    power_spectrum,
    transform_size,
)

TIME = np.arange(16000) / 16000


def test_power_of_a_tone():
    # 1000 Hz is bin 32 of 512 at 16 kHz.
    power = power_spectrum(0.5 * np.sin(2 * np.pi * 1000 * TIME), 16000)
    assert power.shape == (100, 257)
    assert power[50].argmax() == 32
    assert power[50].max() == pytest.approx(0.25, rel=1e-6)
    assert bin_frequencies(16000)[32] == 1000


def test_transform_holds_the_window_at_any_rate():
    assert transform_size(16000) == 512
    assert transform_size(8000) == 256
    assert transform_size(44100) == 2048
    assert transform_size(20480) == 512  # the window is 512 samples long


def test_mel_filters_are_triangles_that_overlap_by_half():
    filters = mel_filters(16000)
    assert filters.shape == (40, 257)
    assert filters.min() == 0
    assert filters.max() <= 1
    between = filters[:, 20:200].sum(axis=0)  # each frequency lies in two triangles whose heights sum to one
    np.testing.assert_allclose(between, 1, rtol=1e-12)
    # The middle of the 40 bands on a scale from mel(20) = 31.75 to mel(8000) = 2840.02: 1435.89, which is 1802.6 Hz.
    crossing = (
        np.interp(1802.6, bin_frequencies(16000), filters[19]),
        np.interp(1802.6, bin_frequencies(16000), filters[20]),
    )
    assert crossing == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))


def test_cosines_are_orthonormal():
    np.testing.assert_allclose(cosines(40, 40) @ cosines(40, 40).T, np.eye(40), atol=1e-12)
    assert cosines(4, 1).tolist() == [[0.5] * 4]


def test_cepstra_equal_scipy():
    from scipy.fft import dct

    power = np.random.default_rng(0).uniform(1e-6, 1e-2, (5, 257))
    bands = np.log(power @ mel_filters(16000).T + 1e-10)
    np.testing.assert_allclose(cepstra(power, 16000, 20), dct(bands, norm="ortho")[:, :20], atol=1e-12)


def test_louder_moves_only_the_zeroth_coefficient():
    noise = np.random.default_rng(0).normal(0, 0.05, 16000)
    quiet, loud = (cepstra(power_spectrum(k * noise, 16000), 16000) for k in (1, 2))
    change = (loud - quiet)[10:-10]
    # ln 4 in each of 40 bands, times the first row of the transform, 1 / sqrt(40)
    np.testing.assert_allclose(change[:, 0], np.log(4) * np.sqrt(40), rtol=1e-4)
    np.testing.assert_allclose(change[:, 1:], 0, atol=1e-3)


def test_deltas_of_a_line_are_its_slope():
    line = np.stack([3.0 * np.arange(10), np.full(10, 7.0)], axis=1)
    result = deltas(line)
    np.testing.assert_allclose(result[2:-2, 0], 3)
    np.testing.assert_allclose(result[:, 1], 0)
    # At the start the first value is repeated: (1 * 3 + 2 * 6) / 10.
    assert result[0, 0] == pytest.approx(1.5)


def test_silent():
    coefficients = cepstra(power_spectrum(np.zeros(1600), 16000), 16000)
    np.testing.assert_allclose(coefficients[:, 0], np.log(1e-10) * np.sqrt(40))
    np.testing.assert_allclose(coefficients[:, 1:], 0, atol=1e-9)


def test_equals_librosa():
    librosa = pytest.importorskip("librosa")
    samples = np.random.default_rng(0).standard_normal(8000) * 0.1
    filters = librosa.filters.mel(sr=16000, n_fft=512, n_mels=40, fmin=20, htk=True, norm=None)
    assert mel_filters(16000) == pytest.approx(filters, abs=1e-6)
    power = power_spectrum(samples, 16000)
    logarithms = np.log(power @ filters.T + 1e-10)
    expected = librosa.feature.mfcc(S=logarithms.T, n_mfcc=20, dct_type=2, norm="ortho").T
    assert cepstra(power, 16000) == pytest.approx(expected, abs=1e-4)

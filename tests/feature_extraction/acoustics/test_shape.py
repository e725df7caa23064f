"""Shape of spectra computed by hand."""

import numpy as np
import pytest

from feature_extraction.acoustics.shape import SHAPE, spectral_contrast, spectral_shape, zero_crossings
from feature_extraction.acoustics.spectrum import bin_frequencies

HERTZ = bin_frequencies(16000)  # 31.25 Hz apart


def shape_of(power: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(SHAPE, spectral_shape(power, 16000).T, strict=True))


def test_two_lines():
    power = np.zeros((1, 257))
    power[0, HERTZ == 1000] = 3.0
    power[0, HERTZ == 3000] = 1.0
    shape = shape_of(power)
    assert shape["centroid"][0] == pytest.approx(1.5, rel=1e-6)  # (3 * 1 + 1 * 3) / 4 kHz
    assert shape["bandwidth"][0] == pytest.approx(np.sqrt(0.75), rel=1e-6)  # (3 * 0.5^2 + 1 * 1.5^2) / 4
    assert shape["rolloff"][0] == 3.0  # 75 % lie at 1 kHz, so 85 % are only reached at 3 kHz
    assert shape["hammarberg"][0] == pytest.approx(10 * np.log10(3), rel=1e-6)
    assert shape["flux"][0] == 0


def test_flat_spectrum():
    shape = shape_of(np.full((2, 257), 0.01))
    np.testing.assert_allclose(shape["flatness"], 0, atol=1e-12)
    np.testing.assert_allclose(shape["tilt"], 0, atol=1e-12)
    np.testing.assert_allclose(shape["centroid"], 4.0)
    np.testing.assert_allclose(shape["flux"], 0, atol=1e-7)
    # 128 bins from 1 up to 5 kHz, 30 from 62.5 up to 1000 Hz
    np.testing.assert_allclose(shape["alpha_ratio"], 10 * np.log10(128 / 30))


def test_tilt_of_six_decibels_per_octave():
    power = (100 / np.maximum(HERTZ, 1)[None]) ** 2
    assert shape_of(power)["tilt"][0] == pytest.approx(-20 * np.log10(2), rel=1e-4)


def test_flux_of_spectra_without_overlap():
    power = np.zeros((2, 257))
    power[0, 40], power[1, 80] = 5.0, 7.0
    assert shape_of(power)["flux"].tolist() == pytest.approx([0, np.sqrt(2)], abs=1e-4)


def test_contrast_of_one_band():
    power = np.full((1, 257), 0.01)
    band = np.flatnonzero((HERTZ >= 800) & (HERTZ < 1600))  # 26 bins, a fifth are 5
    power[0, band[:5]] = 1.0
    contrast = spectral_contrast(power, 16000)
    assert contrast.shape == (1, 6)
    np.testing.assert_allclose(contrast[0], [0, 0, 0, 20, 0, 0], atol=1e-6)


def test_zero_crossings():
    frames = np.array([[1, -1, 1, -1, 1], [1, 1, 1, 1, 1], [1, 1, -1, -1, -1]], float)
    assert zero_crossings(frames).tolist() == [1, 0, 0.25]


def test_silent():
    assert np.isfinite(spectral_shape(np.zeros((3, 257)), 16000)).all()
    assert (spectral_contrast(np.zeros((3, 257)), 16000) == 0).all()

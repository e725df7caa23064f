"""Noise at an exact level."""

import numpy as np
import pytest

from toolkit.mixing import LIMIT, measure_snr, mix_at_snr, rms


@pytest.fixture
def pair(tone):
    clean = tone(1.0, 16000, 220, 0.2).samples
    return clean, np.random.default_rng(0).normal(0, 3.0, 16000).astype(np.float32)


@pytest.mark.parametrize("snr", [-10, 0, 5, 7.5, 40])
def test_ratio_is_exact(pair, snr):
    clean, noise = pair
    mixture = mix_at_snr(clean, noise, snr)
    assert mixture.dtype == np.float32
    assert measure_snr(mixture, clean, noise) == pytest.approx(snr, abs=0.01)
    if np.abs(mixture).max() < LIMIT * 0.999:  # then the speech is still at its own level
        added = mixture.astype(np.float64) - clean
        assert 20 * np.log10(rms(clean) / rms(added)) == pytest.approx(snr, abs=0.01)


def test_hand_computed():
    clean, noise = np.array([0.5, -0.5, 0.5, -0.5]), np.array([1.0, 1.0, -1.0, -1.0])
    # 20 dB: the noise is a tenth as strong.
    np.testing.assert_allclose(mix_at_snr(clean, noise, 20), [0.55, -0.45, 0.45, -0.55], atol=1e-7)


def test_over_range_is_scaled_as_a_whole():
    clean, noise = np.array([0.9, -0.9, 0.9, -0.9]), np.array([1.0, 1.0, -1.0, -1.0])
    mixture = mix_at_snr(clean, noise, 0)
    np.testing.assert_allclose(mixture, [LIMIT, 0, 0, -LIMIT], atol=1e-7)
    assert measure_snr(mixture, clean, noise) == pytest.approx(0, abs=0.01)


def test_silent(pair):
    clean, noise = pair
    with pytest.raises(ValueError, match="silent"):
        mix_at_snr(np.zeros_like(clean), noise, 5)
    with pytest.raises(ValueError, match="silent"):
        mix_at_snr(clean, np.zeros_like(noise), 5)


def test_lengths_differ(pair):
    with pytest.raises(ValueError, match="one length"):
        mix_at_snr(pair[0], pair[1][:-1], 5)

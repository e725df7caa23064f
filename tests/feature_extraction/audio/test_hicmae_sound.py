"""HiCMAE that hears alone: both ends of a sound, and a row every 0.16 s."""

import numpy as np
import pytest
import torch

from feature_extraction.encoder import build_encoder, get_spec
from toolkit.errors import ClipError
from toolkit.filter_bank import filter_bank_example
from toolkit.media import Sound
from toolkit.status import Status

WHOLE = 40960  # samples, 2.56 s


def noise(samples: int) -> Sound:
    return Sound(np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32), 16000)


def inputs(samples: np.ndarray) -> dict[str, torch.Tensor]:
    return {"audio": torch.from_numpy(filter_bank_example(samples))[None, None]}


@pytest.fixture(scope="module")
def encoder():
    return build_encoder(get_spec("tiny-hicmae-sound", "audio"), level="frame")


def test_both_ends_make_the_vector(encoder):
    sound = noise(5 * 16000)  # the last of 32 stretches of 0.16 s has a quarter of it
    (result,) = encoder.encode([sound])
    with torch.inference_mode():
        ends = [encoder.network(inputs(part)).features[0].numpy() for part in _ends(sound.samples)]
    assert np.abs(ends[0] - ends[1]).max() > 0.01
    np.testing.assert_allclose(result.utterance, np.mean(ends, axis=0), rtol=0, atol=1e-5)


def _ends(samples: np.ndarray) -> list[np.ndarray]:
    return [samples[:WHOLE], samples[16 * 2560 :]]


def test_rows(encoder):
    sound = noise(48000)  # 3 s: 18 whole stretches and three quarters of one
    (result,) = encoder.encode([sound])
    with torch.inference_mode():
        first, last = (
            encoder.network.over_time(inputs(part))[0].numpy()
            for part in (sound.samples[:WHOLE], sound.samples[3 * 2560 :])
        )
    np.testing.assert_allclose(result.values, np.concatenate([first, last[-3:]]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, [*(0.08 + 0.16 * np.arange(18)), 2.94])


def test_a_short_sound_is_heard_once(encoder):
    sound = noise(9000)
    (result,) = encoder.encode([sound])
    with torch.inference_mode():
        expected = encoder.network(inputs(sound.samples)).features[0]
    np.testing.assert_allclose(result.utterance, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(result.times, [0.08, 0.24, 0.40, (3 * 2560 + 9000) / 32000])


def test_less_than_a_filter_bank(encoder):
    (result,) = encoder.encode([noise(399)])
    assert isinstance(result, ClipError)
    assert result.status is Status.TOO_SHORT
    assert "24.9 ms of sound, at least 25 ms are needed" in result.reason

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from feature_extraction.audio.clap import TINY, Clap, _tiny_extractor, _tiny_network
from feature_extraction.encoder import FrameFeatures
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

RATE = 48000
WINDOW = 2 * RATE  # samples that the tiny network hears at once


def make_sound(seed: int, samples: int) -> Sound:
    """A tone that rises, in noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(samples) / RATE
    tone = np.sin(2 * np.pi * (200 + 300 * seed + 400 * time) * time)
    return Sound((0.2 * tone + generator.normal(0, 0.01, samples)).astype(np.float32), RATE)


def encode(*sounds: Sound, **changes) -> list[FrameFeatures | ClipError]:
    return Clap(dataclasses.replace(TINY, **changes), level="frame").encode(sounds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The tiny network as others would save it."""
    path = tmp_path_factory.mktemp("clap")
    _tiny_network().save_pretrained(path)
    _tiny_extractor().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def reference(folder):
    """The library's own processor and network."""
    from transformers import AutoFeatureExtractor, ClapModel

    extractor, model = AutoFeatureExtractor.from_pretrained(folder), ClapModel.from_pretrained(folder).eval()

    def run(samples: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt")
            return model.get_audio_features(**inputs).pooler_output[0].numpy()

    return run


def test_a_folder_equals_the_library(folder, reference):
    sounds = [make_sound(seed, samples) for seed, samples in enumerate((30_000, WINDOW, 3 * WINDOW + 24_000))]
    results = encode(*sounds, checkpoint=f"hf:{folder}")
    for sound, result in zip(sounds, results, strict=True):
        starts = range(0, len(sound.samples), WINDOW)
        expected = np.stack([reference(sound.samples[start : start + WINDOW]) for start in starts])
        assert expected.shape[1] == TINY.dim
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.utterance, expected.mean(axis=0), rtol=0, atol=1e-5)


def test_a_time_is_the_middle_of_the_sound_that_was_heard():
    (one,), (several,) = encode(make_sound(0, 24_000)), encode(make_sound(0, 2 * WINDOW + 24_000))
    np.testing.assert_allclose(one.times, [0.25])
    np.testing.assert_allclose(several.times, [1.0, 3.0, 4.25])


@pytest.mark.parametrize(
    ("samples", "rows"), [(1024, 1), (WINDOW, 1), (WINDOW + 1023, 1), (WINDOW + 1024, 2), (3 * WINDOW, 3)]
)
def test_a_rest_shorter_than_a_fourier_window_goes_unheard(samples, rows):
    (result,) = encode(make_sound(0, samples))
    assert len(result.values) == len(result.times) == rows


def test_too_short():
    for samples in (0, 1023):
        (result,) = encode(make_sound(0, samples))
        assert isinstance(result, ClipError)
        assert result.status == Status.TOO_SHORT
        assert "21.3 ms" in result.reason


def test_long_clips_are_cut_the_same_way_every_time():
    sound = make_sound(0, 5 * WINDOW)
    (one,), (other,) = encode(sound), encode(sound)
    np.testing.assert_array_equal(one.values, other.values)
    assert len({row.tobytes() for row in one.values}) == 5  # five windows, not one five times


def test_rows_have_length_one_and_tell_sounds_apart():
    one, other = (result.values[0] for result in encode(make_sound(0, WINDOW), make_sound(5, WINDOW)))
    np.testing.assert_allclose([one @ one, other @ other], 1, rtol=0, atol=1e-5)
    assert np.abs(one - other).max() > 1e-3


def test_networks_that_fuse_long_clips(tmp_path):
    """Their extractor draws lots whose spectrogram counts as a long one: here every window does, in any batch."""
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    config = _tiny_network().config.to_dict()
    config["audio_config"] |= {"enable_fusion": True}
    torch.manual_seed(0)
    ClapModel(ClapConfig(**config)).save_pretrained(tmp_path)
    ClapFeatureExtractor(truncation="fusion", padding="repeatpad", max_length_s=2).save_pretrained(tmp_path)
    encoder = Clap(dataclasses.replace(TINY, checkpoint=f"hf:{tmp_path}"), level="frame")
    sounds = [make_sound(seed, samples) for seed, samples in enumerate((WINDOW, 30_000, 2 * WINDOW))]
    for sound, together in zip(sounds, encoder.encode(sounds), strict=True):
        (alone,) = encoder.encode([sound])
        assert next(encoder.pieces(sound)).inputs[1].tolist() == [True]
        np.testing.assert_allclose(alone.values, together.values, rtol=0, atol=1e-5)


def test_the_half_that_reads_is_not_kept():
    assert not [name for name, _ in Clap(TINY).network.named_parameters() if "text" in name]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_short_numbers(precision):
    sound = make_sound(0, WINDOW)
    (exact,), (rough,) = encode(sound), encode(sound, precision=precision)
    assert rough.values.dtype == np.float32
    assert 0 < np.abs(rough.values - exact.values).max() < {"bfloat16": 0.02, "float16": 0.002}[precision]


def test_another_sample_rate_than_the_models():
    with pytest.raises(UserError, match="16000 Hz, its model hears 48000 Hz"):
        encode(sample_rate=16000)


def test_incomplete_weights(folder, tmp_path):
    """The library would draw them at random; those of the half that reads are not needed."""
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(folder, tmp_path / "model")
    state = {name: tensor for name, tensor in load_file(copy / "model.safetensors").items() if "text" not in name}
    save_file(state, copy / "model.safetensors", {"format": "pt"})
    sound = make_sound(0, WINDOW)
    (result,), (expected,) = encode(sound, checkpoint=f"hf:{copy}"), encode(sound)
    np.testing.assert_allclose(result.values, expected.values, rtol=0, atol=1e-6)
    del state["audio_projection.linear2.weight"]
    save_file(state, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 'audio_projection\.linear2\.weight'"):
        encode(checkpoint=f"hf:{copy}")

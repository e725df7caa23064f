"""VGGish: the reference's embeddings, where weights come from, times, and clips short and long."""

import dataclasses
import functools

import numpy as np
import pytest
from safetensors.numpy import load_file
from safetensors.torch import save_file

from feature_extraction.audio import log_mel, vggish
from feature_extraction.encoder import all_specs, build_encoder
from references.vggish import sweep, variables
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.models.vggish import Vggish, convert
from toolkit.status import Status

DENSE = dataclasses.replace(vggish.TINY, options=(("hop", 0.05),))


def make_wave(seconds: float) -> Sound:
    return Sound(sweep(seconds), 16000)


def make_noise(seconds: float) -> Sound:
    return Sound(np.random.default_rng(0).normal(0, 0.1, round(seconds * 16000)).astype(np.float32), 16000)


@pytest.fixture
def small(monkeypatch) -> dict[str, np.ndarray]:
    """TensorFlow variables of a VGGish of two channels, which is what the spec then builds."""
    monkeypatch.setattr("toolkit.models.vggish.Vggish", functools.partial(Vggish, width=2, hidden=5, dim=3))
    generator = np.random.default_rng(0)
    channels = {"conv1": (1, 2), "conv2": (2, 4), "conv3/conv3_1": (4, 8), "conv3/conv3_2": (8, 8)}
    channels |= {"conv4/conv4_1": (8, 16), "conv4/conv4_2": (16, 16)}
    shapes = {name: (3, 3, *pair) for name, pair in channels.items()}
    shapes |= {"fc1/fc1_1": (384, 5), "fc1/fc1_2": (5, 5), "fc2": (5, 3)}
    weights = {f"vggish/{name}/weights": generator.normal(0, 0.3, shape) for name, shape in shapes.items()}
    biases = {f"vggish/{name}/biases": generator.normal(0.5, 0.1, shape[-1]) for name, shape in shapes.items()}
    return weights | biases


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of weights."""
    monkeypatch.setenv("MER_WEIGHTS", str(tmp_path))
    return tmp_path


def test_embeddings_are_those_of_the_reference(parity, folder, monkeypatch):
    """The whole way: named spec, TensorFlow's variables, sound in, embeddings of the TensorFlow graph out."""
    # Lent from memory, because a file of 288 MB only to read it again would be a waste.
    lent = variables(parity / "cnn_vggish.safetensors")
    monkeypatch.setattr(vggish, "_variables", lambda path: lent)
    (folder / "vggish.npz").touch()
    encoder = build_encoder(all_specs()["vggish"], device="cpu", level="frame")
    (result,) = encoder.encode([make_wave(2.5)])
    expected = load_file(parity / "cnn_vggish.safetensors")
    assert result.values.shape == (4, encoder.spec.dim)
    np.testing.assert_allclose(result.values, expected["outputs/embedding"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.utterance, expected["outputs/embedding_mean"], rtol=1e-4, atol=1e-4)


def test_all_formats_of_weights_give_the_same(small, folder):
    state = convert(small)
    sound = make_noise(1.3)
    import torch

    results = []
    for name, save in {
        "vggish.pth": lambda path: torch.save(state, path),
        "vggish.npz": lambda path: np.savez(path, **small),
        "vggish.safetensors": lambda path: save_file(state, path),
    }.items():
        save(folder / name)  # each is looked for before the ones written earlier
        (result,) = build_encoder(all_specs()["vggish"], device="cpu").encode([sound])
        results.append(result.utterance)
    assert np.abs(results[0]).max() > 0.01
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_no_weights(folder):
    with pytest.raises(UserError, match=r"vggish\.safetensors, which do not exist.*vggish_model\.ckpt"):
        build_encoder(all_specs()["vggish"])


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_file_that_is_none(folder, content):
    (folder / "vggish.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"vggish\.npz cannot be read"):
        build_encoder(all_specs()["vggish"])


def test_times_are_the_middles_of_the_examples():
    (sparse,) = build_encoder(vggish.TINY, device="cpu", level="frame").encode([make_noise(2.5)])
    np.testing.assert_allclose(sparse.times, [0.4875, 0.9875, 1.4875, 1.9875])
    (dense,) = build_encoder(DENSE, device="cpu", level="frame").encode([make_noise(1.2)])
    np.testing.assert_allclose(dense.times, [0.4875, 0.5375, 0.5875, 0.6375, 0.6875])


def test_a_row_is_the_network_on_its_example():
    import torch

    encoder = build_encoder(DENSE, device="cpu", level="frame")
    sound = make_noise(1.5)
    (result,) = encoder.encode([sound])
    mels = log_mel.log_mel(sound.samples)
    with torch.inference_mode():
        for number in (0, 3, len(result.times) - 1):
            expected = encoder.network(torch.from_numpy(mels[None, 5 * number : 5 * number + 96]))[0]
            np.testing.assert_allclose(result.values[number], expected, rtol=0, atol=1e-5)


def test_a_clip_under_a_second_is_repeated():
    sound = make_noise(0.4)  # three times make 1.2 s, in which five examples 0.05 s apart find room
    encoder = build_encoder(DENSE, device="cpu", level="frame")
    short, repeated = encoder.encode([sound, Sound(np.tile(sound.samples, 3), 16000)])
    np.testing.assert_array_equal(short.values, repeated.values)
    np.testing.assert_allclose(short.times, repeated.times / 3)
    assert 0 < short.times[0] < short.times[-1] < 0.4


def test_the_shortest_clips():
    encoder = build_encoder(vggish.TINY, device="cpu", level="frame")
    empty, ten, window = encoder.encode([make_noise(0), make_noise(0.01), make_noise(0.025)])
    assert isinstance(empty, ClipError)
    assert empty.status == Status.TOO_SHORT
    assert isinstance(ten, ClipError)
    assert ten.status == Status.TOO_SHORT
    assert "10.0 ms of sound, VGGish needs 25 ms" in ten.reason
    assert len(window.values) == 1


def test_silence_has_finite_features():
    (result,) = build_encoder(vggish.TINY, device="cpu").encode([Sound(np.zeros(16000, np.float32), 16000)])
    assert np.isfinite(result.utterance).all()


def test_ten_minutes_lose_and_double_no_example():
    """A tone grows louder, and the network's output is how loud: each row tells when its example was heard."""
    encoder = build_encoder(DENSE, device="cpu", level="frame")
    tone = np.tile(np.sin(2 * np.pi * np.arange(16) / 16), 16000 * 600 // 16).astype(np.float32)  # 1000 Hz
    (unit,) = log_mel.log_mel(tone[: log_mel.WINDOW])
    band = unit.argmax()
    encoder.network = lambda examples: examples[:, 48, band, None].exp()  # the frame in the middle
    (result,) = encoder.encode([Sound(tone * np.linspace(0, 1, len(tone), dtype=np.float32), 16000)])
    assert len(result.values) == (600 * 100 - 2 - 96) // 5 + 1
    np.testing.assert_allclose(np.diff(result.times), 0.05)
    heard = 600 * (result.values[:, 0] - log_mel.FLOOR) / (np.exp(unit[band]) - log_mel.FLOOR)
    np.testing.assert_allclose(heard, result.times + 0.005, rtol=0, atol=0.002)  # that frame lies 5 ms off the middle


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(precision):
    sound = make_wave(2.5)
    (exact,) = build_encoder(vggish.TINY, device="cpu").encode([sound])
    (rough,) = build_encoder(dataclasses.replace(vggish.TINY, precision=precision), device="cpu").encode([sound])
    assert rough.utterance.dtype == np.float32
    np.testing.assert_allclose(rough.utterance, exact.utterance, rtol=0, atol=0.02 * np.abs(exact.utterance).max())
    assert (rough.utterance != exact.utterance).any()

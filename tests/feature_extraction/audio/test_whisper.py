import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from feature_extraction.audio.tiny_whisper import DIM, tiny_extractor, tiny_network
from feature_extraction.audio.whisper import TINY, Whisper
from feature_extraction.encoder import EncoderSpec, FrameFeatures
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

RATE = 16000
WINDOW = 3 * RATE  # samples that the tiny network hears at once
DECODER = dataclasses.replace(TINY, options=(("states", "decoder"),))


def make_sound(seed: int, seconds: float) -> Sound:
    """Syllables of changing pitch in noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 1.5 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 9)) * np.maximum(0, np.sin(2 * np.pi * 3 * time))
    return Sound((0.2 * voice + generator.normal(0, 0.005, len(time))).astype(np.float32), RATE)


def encode(spec: EncoderSpec, *sounds: Sound) -> list[FrameFeatures]:
    return Whisper(spec, level="frame").encode(sounds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The tiny network as others would save it."""
    path = tmp_path_factory.mktemp("whisper")
    tiny_network().save_pretrained(path)
    tiny_extractor().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def reference(folder):
    """The library's own spectrograms and network."""
    from transformers import AutoFeatureExtractor, WhisperModel

    extractor, model = AutoFeatureExtractor.from_pretrained(folder), WhisperModel.from_pretrained(folder).eval()

    def run(samples: np.ndarray, **options):
        inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt").input_features
        start = model.config.decoder_start_token_id
        with torch.inference_mode():
            return model(inputs, decoder_input_ids=torch.tensor([[1, 1]]) * start, **options)

    return run


def test_the_encoder_of_a_folder_equals_the_librarys(folder, reference):
    sounds = [make_sound(seed, seconds) for seed, seconds in enumerate((0.4, 1.003, 2.5, 3.0))]
    results = encode(dataclasses.replace(TINY, checkpoint=f"hf:{folder}"), *sounds)
    for sound, result, rows in zip(sounds, results, (20, 51, 125, 150), strict=True):
        expected = reference(sound.samples).encoder_last_hidden_state[0, :rows]
        assert result.values.shape == (rows, DIM)
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.times, np.arange(rows) * 0.02, rtol=0, atol=1e-12)
        np.testing.assert_allclose(result.utterance, expected.mean(axis=0), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("layers", "combine"), [((1,), "mean"), ((0, -2, -1), "sum"), ((), "keep")])
def test_hidden_layers(folder, reference, layers, combine):
    sound = make_sound(0, 1.0)
    (result,) = encode(dataclasses.replace(TINY, checkpoint=f"hf:{folder}", layers=layers, combine=combine), sound)
    states = reference(sound.samples, output_hidden_states=True).encoder_hidden_states
    assert len(states) == 3  # what the convolutions give, and two layers
    one, two, three = (state[0, :50] for state in states)
    expected = {"mean": two, "sum": one + two + three, "keep": torch.cat([one, two, three], dim=-1)}[combine]
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)


def test_the_decoder_of_a_folder_equals_the_librarys(folder, reference):
    sounds = [make_sound(0, 0.4), make_sound(1, 7.0)]
    spec = dataclasses.replace(DECODER, checkpoint=f"hf:{folder}")
    for sound, result, heard in zip(sounds, encode(spec, *sounds), (0.4, 3.0), strict=True):
        expected = reference(sound.samples).last_hidden_state[0]
        assert expected.shape == (2, DIM)
        np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.times, [heard / 2, heard])


def test_what_mertools_uses_is_the_decoder():
    specs = {spec.name: spec for spec in Whisper.specs}
    assert specs["whisper-base"].option("states") == "encoder"
    assert specs["whisper-base@mertools"].option("states") == "decoder"
    assert (specs["whisper-base"].dim, specs["whisper-large-v2"].dim) == (512, 1280)


def test_the_decoder_is_not_kept_where_it_is_not_used():
    assert not [name for name, _ in Whisper(TINY).network.named_parameters() if "decoder" in name]
    assert [name for name, _ in Whisper(DECODER).network.named_parameters() if "decoder" in name]


@pytest.mark.parametrize(("samples", "rows"), [(160, 1), (320, 1), (321, 2), (WINDOW, 150), (WINDOW + 1, 151)])
def test_a_row_for_every_20_ms_of_real_sound(samples, rows):
    (result,) = encode(TINY, Sound(make_sound(0, 4.0).samples[:samples], RATE))
    assert len(result.values) == len(result.times) == rows


def test_less_than_a_frame_of_the_spectrogram_is_too_short():
    for samples in (0, 159):
        (result,) = encode(TINY, Sound(np.ones(samples, np.float32), RATE))
        assert isinstance(result, ClipError)
        assert result.status == Status.TOO_SHORT
        assert "10 ms" in result.reason


def test_windows_are_those_of_the_librarys_spectrogram():
    sound = make_sound(0, 7.0)  # states 0 to 349, in windows of 150 that keep 100
    pieces = list(Whisper(TINY).pieces(sound))
    assert [piece.keep for piece in pieces] == [slice(0, 100), slice(25, 125), slice(25, 125), slice(25, 75)]
    assert [piece.inputs[1] for piece in pieces] == [125, 150, 150, 75]
    for piece, start in zip(pieces, (0, 75, 175, 275), strict=True):
        stretch = sound.samples[start * 320 : (start + piece.inputs[1]) * 320]
        expected = tiny_extractor()(stretch, sampling_rate=RATE, return_tensors="np").input_features[0]
        np.testing.assert_array_equal(piece.inputs[0], expected)


class Clock(torch.nn.Module):
    """A network whose output is its own time: it reads it off the loudness of a tone that grows evenly."""

    def __init__(self, bin_of_tone: int, slope: float, offset: float) -> None:
        super().__init__()
        self.bin, self.slope, self.offset = bin_of_tone, slope, offset

    def forward(self, spectrograms: torch.Tensor):
        loudness = spectrograms[:, self.bin, ::2, None].double()
        return SimpleNamespace(last_hidden_state=(loudness - self.offset) / self.slope)


@pytest.mark.parametrize("seconds", [29.9, 30.0, 30.02, 41.0, 72.37])
def test_nothing_is_lost_doubled_or_shifted_at_a_seam(seconds):
    """Windows of 30 s as in the real model; the mel scale is logarithmic, so that the tone's loudness is a clock."""
    from transformers import WhisperFeatureExtractor

    encoder = Whisper(TINY, level="frame")
    encoder.extractor = WhisperFeatureExtractor()
    time = np.arange(round(seconds * RATE)) / RATE
    decades = 3.5 / 75  # per second, in amplitude; Whisper hears four below the loudest
    tone = (1e-4 * 10 ** (decades * time) * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    spectrogram = encoder.extractor(tone[: 10 * RATE], sampling_rate=RATE, return_tensors="np").input_features[0]
    number = int(spectrogram[:, 500].argmax())
    slope = 2 * decades / 4  # the spectrogram is of power, and a quarter of its logarithm
    encoder.network = Clock(number, slope, float(spectrogram[number, 500]) - slope * 5.0)
    (result,) = encoder.encode([Sound(tone, RATE)])
    assert len(result.values) == int(np.ceil(seconds * 50 - 1e-9))
    np.testing.assert_allclose(result.times, np.arange(len(result.times)) * 0.02, rtol=0, atol=1e-9)
    inside = slice(2, -2)  # where the clip begins and ends, the tone is not the only thing to hear
    np.testing.assert_allclose(result.values[inside, 0], result.times[inside], rtol=0, atol=0.004)


def test_long_and_short_clips_share_batches():
    encoder = Whisper(TINY, level="frame")
    encoder._limit *= 4  # as on an accelerator
    sounds = [make_sound(seed, seconds) for seed, seconds in enumerate((0.3, 11.0, 3.0, 4.5, 0.05))]
    for sound, together in zip(sounds, encoder.encode(sounds), strict=True):
        (alone,) = encoder.encode([sound])
        np.testing.assert_allclose(alone.values, together.values, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(alone.times, together.times)


@pytest.mark.parametrize("spec", [TINY, DECODER], ids=["encoder", "decoder"])
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_short_numbers(spec, precision):
    sound = make_sound(0, 1.0)
    (exact,), (rough,) = encode(spec, sound), encode(dataclasses.replace(spec, precision=precision), sound)
    assert rough.values.dtype == np.float32
    assert 0 < np.abs(rough.values - exact.values).max() < {"bfloat16": 0.2, "float16": 0.02}[precision]


def test_impossible_specs():
    with pytest.raises(UserError, match="states=middle"):
        Whisper(dataclasses.replace(TINY, options=(("states", "middle"),)))
    with pytest.raises(UserError, match="only states=encoder"):
        Whisper(dataclasses.replace(DECODER, layers=(-1,)))
    with pytest.raises(UserError, match="There is no layer 3"):
        encode(dataclasses.replace(TINY, layers=(3,)), make_sound(0, 1.0))


def without(folder: Path, copy: Path, part: str) -> EncoderSpec:
    """A spec of the model without the weights whose names start so."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, copy)
    state = load_file(copy / "model.safetensors")
    rest = {name: tensor for name, tensor in state.items() if not name.startswith(part)}
    assert len(rest) < len(state)
    save_file(rest, copy / "model.safetensors", {"format": "pt"})
    return dataclasses.replace(TINY, checkpoint=f"hf:{copy}")


def test_incomplete_weights(folder, tmp_path):
    """The library would draw them at random; those of the decoder are only needed where it is."""
    spec = without(folder, tmp_path / "half", "model.decoder.")
    sound = make_sound(0, 0.5)
    (result,), (expected,) = encode(spec, sound), encode(TINY, sound)
    np.testing.assert_allclose(result.values, expected.values, rtol=0, atol=1e-6)
    with pytest.raises(UserError, match=r"lacks 'decoder\."):
        Whisper(dataclasses.replace(spec, options=DECODER.options))
    spec = without(folder, tmp_path / "less", "model.encoder.layers.1.fc1.")
    with pytest.raises(UserError, match=r"lacks 'encoder\.layers\.1\.fc1\.bias'"):
        Whisper(spec)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampling_rate": 24000}, "sound at 24000 Hz, this family gives it 16000 Hz"),
        ({"feature_size": 128}, "128 mels by 300 frames, its network hears 80 by 300"),
        ({"chunk_length": 2, "n_samples": 32000, "nb_max_frames": 200}, "80 mels by 200 frames"),
    ],
)
def test_spectrograms_of_another_network(folder, tmp_path, change, message):
    copy = shutil.copytree(folder, tmp_path / "model")
    settings = json.loads((copy / "preprocessor_config.json").read_text())
    (copy / "preprocessor_config.json").write_text(json.dumps(settings | change))
    with pytest.raises(UserError, match=message):
        Whisper(dataclasses.replace(TINY, checkpoint=f"hf:{copy}"))

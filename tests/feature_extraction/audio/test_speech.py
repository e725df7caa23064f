import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from feature_extraction.audio import waveform
from feature_extraction.audio.speech import Speech
from feature_extraction.audio.waveform import FrameGrid
from feature_extraction.encoder import EncoderSpec, FrameFeatures
from feature_extraction.variant import vary
from toolkit.errors import ClipError, UserError
from toolkit.media import Sound
from toolkit.status import Status

RATE = 16000
TINY = {spec.name: spec for spec in Speech.specs if spec.is_tiny}
NAMED = {spec.name: spec for spec in Speech.specs if not spec.is_tiny}


def make_sound(seed: int, seconds: float) -> Sound:
    """Syllables of changing pitch in noise, far from mean 0 and variance 1."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 1.5 * time)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 9)) * np.maximum(0, np.sin(2 * np.pi * 3 * time))
    return Sound((0.01 + 0.2 * voice + generator.normal(0, 0.005, len(time))).astype(np.float32), RATE)


def encode(encoder: Speech, *sounds: Sound) -> list[FrameFeatures]:
    results = encoder.encode(sounds)
    assert not [result for result in results if isinstance(result, ClipError)]
    return results


@pytest.fixture(params=TINY)
def spec(request) -> EncoderSpec:
    return TINY[request.param]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """The tiny networks as others would save them; one feature extractor leaves the waveform alone."""
    from transformers import Wav2Vec2FeatureExtractor

    folders = {}
    for name, spec in TINY.items():
        folders[name] = tmp_path_factory.mktemp(name)
        Speech(spec)._tiny_model().save_pretrained(folders[name])
        Wav2Vec2FeatureExtractor(do_normalize=name != "tiny-wavlm").save_pretrained(folders[name])
    return folders


def from_folder(folder: Path, spec: EncoderSpec, **changes) -> Speech:
    return Speech(dataclasses.replace(spec, checkpoint=f"hf:{folder}", **changes), level="frame")


@torch.inference_mode()
def by_the_library(folder: Path, samples: np.ndarray) -> list[torch.Tensor]:
    """Hidden states ``(batch, time, dim)`` as one gets them without this toolkit."""
    from transformers import AutoFeatureExtractor, AutoModel

    extractor, model = AutoFeatureExtractor.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt").input_values
    if inputs.shape[1] > 160000:
        inputs = torch.nn.functional.pad(inputs, (0, -inputs.shape[1] % 160000)).view(-1, 160000)
    output = model(inputs, output_hidden_states=True)
    return [*output.hidden_states[:-1], output.last_hidden_state]


@pytest.mark.parametrize("seconds", [0.5, 1.3, 0.03])
def test_a_folder_gives_what_the_library_gives(spec, folders, seconds):
    sound = make_sound(3, seconds)
    (result,) = encode(from_folder(folders[spec.name], spec), sound)
    states = by_the_library(folders[spec.name], sound.samples)
    expected = (states[-2] + states[-1])[0].numpy()
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=2e-5)
    np.testing.assert_allclose(result.times, 0.0125 + 0.02 * np.arange(len(expected)), atol=1e-9)


@pytest.mark.parametrize(
    ("layers", "combine", "expected"),
    [
        ((), "mean", lambda states: states[3]),
        ((0, 2), "mean", lambda states: (states[0] + states[2]) / 2),
        ((-1, 1), "keep", lambda states: torch.cat([states[3], states[1]], dim=-1)),
        ((), "keep", lambda states: torch.cat(states, dim=-1)),
    ],
)
def test_layers(layers, combine, expected, folders):
    folder, spec = folders["tiny-hubert-large"], TINY["tiny-hubert-large"]
    sound = make_sound(4, 0.4)
    (result,) = encode(from_folder(folder, spec, layers=layers, combine=combine), sound)
    wanted = expected(by_the_library(folder, sound.samples))[0].numpy()
    np.testing.assert_allclose(result.values, wanted, rtol=0, atol=1e-5)


def test_no_such_layer(spec):
    with pytest.raises(UserError, match=r"no layer -5: this network has [23] layers above its embeddings"):
        Speech(dataclasses.replace(spec, layers=(-5,)))


def test_mertools(spec, folders):
    sound = make_sound(5, 10.1)
    (theirs,) = encode(from_folder(folders[spec.name], spec, options=(("chunks", "padded10"),)), sound)
    states = by_the_library(folders[spec.name], sound.samples)
    expected = (states[-2] + states[-1]).flatten(0, 1).numpy()
    assert len(expected) == 998  # half of them padding
    np.testing.assert_allclose(theirs.values, expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(theirs.utterance, expected.mean(axis=0, dtype=float), rtol=0, atol=1e-5)
    assert theirs.times[499] == pytest.approx(10.0125)
    (ours,) = encode(from_folder(folders[spec.name], spec), sound)
    assert len(ours.values) == 504


def test_padding_in_a_batch_changes_nothing(spec, monkeypatch):
    encoder = Speech(spec, level="frame")
    sizes = []
    network = encoder.network.forward
    monkeypatch.setattr(encoder.network, "forward", lambda waves: sizes.append(set(map(len, waves))) or network(waves))
    sounds = [make_sound(seed, seconds) for seed, seconds in enumerate((1.0, 1.05, 1.09, 1.02, 3.0))]
    together = encode(encoder, *sounds)
    assert max(map(len, sizes)) == 4  # lengths in one batch
    for sound, expected in zip(sounds, together, strict=True):
        (alone,) = encode(encoder, sound)
        np.testing.assert_allclose(alone.values, expected.values, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(alone.times, expected.times)


class Clock(torch.nn.Module):
    """A network that gives for each frame the mean of what it sees, which says when it saw it."""

    def forward(self, waves):
        windows = [wave.double().unfold(0, 400, 320).mean(dim=1)[:, None] for wave in waves]
        return [torch.nn.utils.rnn.pad_sequence(windows, batch_first=True)], list(map(len, windows))


@pytest.mark.parametrize("seconds", [29.9, 30.1, 600, 61.2345])
def test_no_frame_is_lost_doubled_or_shifted(seconds, monkeypatch):
    encoder = Speech(TINY["tiny-wavlm"], level="frame")  # leaves the waveform as it is
    encoder.network = Clock()
    samples = np.arange(round(seconds * RATE), dtype=np.float32)
    (result,) = encode(encoder, Sound(samples, RATE))
    assert len(result.values) == FrameGrid(320, 400).count(len(samples))
    # The mean number of the samples seen is half a sample before the middle of their span.
    np.testing.assert_allclose(result.values[:, 0], result.times * RATE - 0.5, rtol=1e-6, atol=0.5)
    np.testing.assert_allclose(np.diff(result.times), 0.02, atol=1e-9)


def test_seams_are_not_heard(spec, monkeypatch):
    sound = make_sound(7, 52)
    encoder = Speech(spec, level="frame")
    (cut,) = encode(encoder, sound)
    monkeypatch.setattr(waveform, "LONGEST", 60.0)
    (whole,) = encode(encoder, sound)
    np.testing.assert_array_equal(cut.times, whole.times)
    error = np.abs(cut.values - whole.values).max(axis=1)
    assert 0 < error.max() < 0.01 * np.abs(whole.values).max()
    for seam in (999, 1999):
        assert error[seam - 5 : seam + 5].max() < 0.01 * np.abs(whole.values).max()
        shifted = np.abs(cut.values[seam - 4 : seam + 6] - whole.values[seam - 5 : seam + 5]).max(axis=1)
        assert shifted.mean() > 10 * error[seam - 5 : seam + 5].mean()


def test_long_sound_in_a_file_is_normalised_as_a_whole(folders, tmp_path):
    """The loud half of the sound counts for the chunk that does not hear it."""
    quiet, loud = make_sound(8, 40).samples, 3 * make_sound(9, 40).samples
    np.concatenate([quiet, loud]).tofile(tmp_path / "samples")
    sound = Sound(np.memmap(tmp_path / "samples", np.float32, "r"), RATE)
    encoder = from_folder(folders["tiny-hubert-large"], TINY["tiny-hubert-large"])
    pieces = list(encoder.pieces(sound))
    expected = (sound.samples - sound.samples.mean()) / np.sqrt(sound.samples.var() + 1e-7)
    np.testing.assert_allclose(pieces[0].inputs, expected[: len(pieces[0].inputs)], rtol=0, atol=1e-5)
    assert abs(pieces[0].inputs.var() - 1) > 0.5
    (mapped,), (loaded,) = encode(encoder, sound), encode(encoder, Sound(np.array(sound.samples), RATE))
    np.testing.assert_array_equal(mapped.values, loaded.values)


def test_without_a_feature_extractor_the_architecture_says(folders, tmp_path):
    from transformers import AutoConfig

    for name, spec in TINY.items():
        folder = shutil.copytree(folders[name], tmp_path / name)
        (folder / "preprocessor_config.json").unlink()
        by_group = getattr(AutoConfig.from_pretrained(folder), "feat_extract_norm", "layer") == "group"
        sound = make_sound(10, 0.3)
        (piece,) = from_folder(folder, spec).pieces(sound)
        assert (piece.inputs == sound.samples).all() == by_group
    assert by_group is False  # of data2vec-audio, the last, whose configuration does not say


def test_another_sample_rate(folders, tmp_path):
    folder = shutil.copytree(folders["tiny-wav2vec2"], tmp_path / "model")
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps(settings | {"sampling_rate": 24000}))
    with pytest.raises(UserError, match="hears sound at 24000 Hz, this family gives it 16000 Hz"):
        from_folder(folder, TINY["tiny-wav2vec2"])


def test_incomplete_weights(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders["tiny-wavlm"], tmp_path / "model")
    state = load_file(folder / "model.safetensors")
    del state["masked_spec_embed"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    from_folder(folder, TINY["tiny-wavlm"])
    del state["encoder.layers.1.attention.q_proj.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 'encoder\.layers\.1\.attention\.q_proj\.weight'"):
        from_folder(folder, TINY["tiny-wavlm"])


def test_an_adapter_goes_unused(tmp_path):
    """Hidden states come before it, 50 per second, also in a checkpoint that was trained to recognise words."""
    from transformers import AutoConfig, AutoModelForCTC

    settings = Speech(TINY["tiny-wav2vec2"]).network.model.config.to_dict() | {"add_adapter": True, "vocab_size": 8}
    model = AutoModelForCTC.from_config(AutoConfig.for_model(**settings)).eval()
    model.save_pretrained(tmp_path)
    sound = make_sound(14, 1.0)
    (result,) = encode(from_folder(tmp_path, TINY["tiny-wav2vec2"]), sound)
    with torch.inference_mode():
        states = model.wav2vec2(torch.from_numpy(sound.samples)[None], output_hidden_states=True).hidden_states
    assert result.values.shape == (49, 32)
    np.testing.assert_allclose(result.values, (states[-2] + states[-1])[0], rtol=0, atol=1e-5)


def test_lengths_of_a_frame_and_less(spec):
    encoder = Speech(spec)
    ten, thirty, nothing = encoder.encode([make_sound(11, 0.01), make_sound(11, 0.03), Sound(np.zeros(0, "f4"), RATE)])
    assert ten.status == nothing.status == Status.TOO_SHORT
    assert ten.reason == "10.0 ms of sound, one frame needs 25 ms"
    assert thirty.utterance.shape == (32,)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(spec, precision):
    sounds = [make_sound(12, 1.0), make_sound(13, 1.05)]
    for full, half in zip(
        encode(Speech(spec, level="frame"), *sounds),
        encode(Speech(dataclasses.replace(spec, precision=precision), level="frame"), *sounds),
        strict=True,
    ):
        assert half.values.dtype == np.float32
        error = np.linalg.norm(half.values - full.values) / np.linalg.norm(full.values)
        assert 0 < error < (0.05 if precision == "bfloat16" else 0.01)


def test_a_variant_of_a_tiny_network_is_the_same_network():
    sound = Sound(np.random.default_rng(0).normal(size=1600).astype(np.float32), 16000)
    spec = TINY["tiny-wavlm"]
    rows = {}
    for part in ("layers0", "layers1", "every-layer"):
        encoder = Speech(vary(spec, [part, "mean"] if part != "every-layer" else [part]), level="frame")
        rows[part] = encoder.encode([sound])[0].values
    np.testing.assert_array_equal(rows["every-layer"][:, : 2 * spec.dim], np.hstack([rows["layers0"], rows["layers1"]]))


def test_attention_is_fused_where_the_library_can(spec):
    assert Speech(spec).network.model.config._attn_implementation == ("eager" if "wavlm" in spec.name else "sdpa")


def test_named_specs():
    assert len(NAMED) == 24
    for name, spec in NAMED.items():
        assert (spec.layers, spec.combine, spec.sample_rate) == ((-4, -3, -2, -1), "sum", 16000)
        assert spec.dim == (1024 if "large" in name else 768)
        assert spec.option("chunks") == ("padded10" if name.endswith("@mertools") else None)

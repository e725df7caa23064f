import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from feature_extraction.audio.tiny_whisper import tiny_extractor, tiny_network, tiny_tokenizer
from feature_extraction.transcription.transcriber import Transcriber
from toolkit.errors import UserError
from toolkit.media import Sound

RATE = 16000


def make_sound(seed: int, seconds: float) -> Sound:
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    voice = np.sin(2 * np.pi * (100 + 60 * seed) * time) * np.maximum(0, np.sin(2 * np.pi * (1 + seed) * time))
    return Sound((0.3 * voice + generator.normal(0, 0.01 * (1 + seed), len(time))).astype(np.float32), RATE)


def save(folder: Path, **generation) -> str:
    """The tiny model as others would save it, with other settings of how words are generated."""
    network = tiny_network()
    for name, value in generation.items():
        setattr(network.generation_config, name, value)
    network.save_pretrained(folder)
    tiny_extractor().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.fixture
def stretches() -> list[np.ndarray]:
    tiny = Transcriber("tiny", device="cpu")
    return [next(tiny.stretches(make_sound(seed, 0.5 + 0.4 * seed))) for seed in range(5)]


def test_words_depend_on_the_sound_alone(stretches):
    one = Transcriber("tiny", device="cpu", batch=1).write(stretches)
    many = Transcriber("tiny", device="cpu", batch=5).write(stretches)
    assert one == many == Transcriber("tiny", device="cpu", batch=2).write(stretches[::-1])[::-1]
    assert len(set(one)) >= 4  # not the same words for every sound
    assert set("".join(one)) <= set(" abcdefghijklmnopqrstuvwxyz")


def test_a_folder_writes_what_the_library_writes(tmp_path, stretches):
    """Even where the folder asks for lots to be drawn."""
    from transformers import AutoProcessor, WhisperForConditionalGeneration

    folder = save(tmp_path, do_sample=True, temperature=0.7, num_beams=3)
    transcriber = Transcriber(folder, language="Chinese", device="cpu")
    model = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder)
    for seed, words in enumerate(transcriber.write(stretches)):
        inputs = processor(make_sound(seed, 0.5 + 0.4 * seed).samples, sampling_rate=RATE, return_tensors="pt")
        greedy = {"do_sample": False, "num_beams": 1, "language": "zh", "task": "transcribe"}
        tokens = model.generate(inputs.input_features, **greedy)
        assert processor.batch_decode(tokens, skip_special_tokens=True) == [words]
    assert transcriber.source.startswith(f"{tmp_path.name} revision=")
    assert transcriber.source.endswith(" language=zh float32")


def test_a_long_sound_is_cut_and_its_silence_left_out():
    tiny = Transcriber("tiny", device="cpu")
    sound = make_sound(0, 8.0)
    assert len(list(tiny.stretches(sound))) == 3  # of 2 to 3 s
    quiet = Sound(np.concatenate([sound.samples[: 2 * RATE], np.zeros(6 * RATE, np.float32)]), RATE)
    (only,) = tiny.stretches(quiet)
    assert only.shape == (80, 300)


def test_languages(stretches):
    sources = {language: Transcriber("tiny", language=language, device="cpu") for language in (None, "zh", "en")}
    assert [tiny.source.split()[2] for tiny in sources.values()] == ["language=detected", "language=zh", "language=en"]
    words = {language: tiny.write(stretches) for language, tiny in sources.items()}
    assert words["zh"] != words["en"]
    for detected, *choices in zip(words[None], words["zh"], words["en"], strict=True):
        assert detected in choices
    assert Transcriber("tiny", language=" Mandarin", device="cpu").source == sources["zh"].source
    with pytest.raises(UserError, match=r"does not know the language 'klingon'\. Known: en, zh"):
        Transcriber("tiny", language="klingon", device="cpu")


def test_models_of_one_language(tmp_path, stretches):
    folder = save(tmp_path, is_multilingual=False)
    assert Transcriber(folder, language="english", device="cpu").write(stretches)
    assert "language=its-own" in Transcriber(folder, device="cpu").source
    with pytest.raises(UserError, match="cannot be set to 'zh'"):
        Transcriber(folder, language="zh", device="cpu")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_short_numbers(stretches, precision):
    transcriber = Transcriber("tiny", device="cpu", precision=precision)
    assert len(transcriber.write(stretches)) == 5
    assert transcriber.source.endswith(precision)
    assert next(transcriber._network.parameters()).dtype == getattr(torch, precision)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("MPS backend out of memory")]
)
def test_out_of_memory_halves_the_batch(monkeypatch, caplog, stretches, error):
    expected = Transcriber("tiny", device="cpu").write(stretches)
    transcriber = Transcriber("tiny", device="cpu", batch=5)
    generate = transcriber._generate
    sizes = []

    def limited(part):
        sizes.append(len(part))
        if len(part) > 1:
            raise error
        return generate(part)

    monkeypatch.setattr(transcriber, "_generate", limited)
    with caplog.at_level(logging.WARNING):
        assert transcriber.write(stretches) == expected
    assert sizes == [5, 2, 1, 1, 1, 1, 1]
    assert len([record for record in caplog.records if "does not fit" in record.message]) == 1


def test_a_device_that_holds_nothing(monkeypatch, stretches):
    transcriber = Transcriber("tiny", device="cpu")
    error = torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(transcriber, "_generate", lambda part: (_ for _ in ()).throw(error))
    with pytest.raises(UserError, match="not even with one stretch"):
        transcriber.write(stretches)


def test_a_device_that_does_not_hold_the_model(monkeypatch):
    error = torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(torch.nn.Module, "to", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(UserError, match="'tiny' does not fit on cpu"):
        Transcriber("tiny", device="cpu")


def test_models_that_write_no_words(tmp_path):
    with pytest.raises(UserError, match="'clap', which writes no words"):
        Transcriber("tiny-clap", device="cpu")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match="type 'bert'"):
        Transcriber(str(tmp_path), device="cpu")


def test_a_mistyped_model_is_not_asked_of_the_hub():
    with pytest.raises(UserError, match=r"'whisper-bas' is neither .* in `list`\. Did you mean 'whisper-base'\?"):
        Transcriber("whisper-bas", device="cpu")


def test_the_name_of_a_folder_may_be_written_as_for_encoders(tmp_path):
    folder = save(tmp_path)
    assert Transcriber(f"hf:{folder}", device="cpu").source == Transcriber(folder, device="cpu").source


def test_incomplete_weights(tmp_path):
    """The library would draw them at random; the layer that chooses words shares those of its embeddings."""
    from safetensors.torch import load_file, save_file

    folder = save(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    assert "proj_out.weight" not in state
    del state["model.decoder.layers.1.fc1.weight"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 'model\.decoder\.layers\.1\.fc1\.weight'"):
        Transcriber(folder, device="cpu")

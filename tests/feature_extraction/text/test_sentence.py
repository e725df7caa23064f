"""Sentence embeddings from the files of sentence-transformers, without it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.reference import find_spec
from toolkit.errors import UserError

TEXTS = ["我很高兴！", "no", "i am so happy for you", "oh, 今天不？"]
OLD = "sentence_transformers.models."
NEW = "sentence_transformers.sentence_transformer.modules."


def write(folder: Path, name: str, content) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def write_parts(folder: Path, *parts: tuple[str, str]) -> None:
    """``modules.json`` of a Transformer and the parts after it, by type and folder."""
    kinds = [(f"{OLD}Transformer", ""), *parts]
    write(folder, "modules.json", [{"idx": k, "name": str(k), "path": p, "type": t} for k, (t, p) in enumerate(kinds)])


@pytest.fixture
def model(saved, tmp_path):
    """A BERT with mean pooling, in the older form of the files."""
    spec = saved("bert", like="tiny-sentence")
    folder = tmp_path / "bert"
    write_parts(folder, (f"{OLD}Pooling", "1_Pooling"))
    switches = {"word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    write(folder, "1_Pooling/config.json", switches)
    return spec, folder


def last_layer(folder: Path, text: str) -> np.ndarray:
    """The library's last layer ``(t, D)``, special tokens included."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    encoding = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        return AutoModel.from_pretrained(folder).eval()(**encoding).last_hidden_state[0].numpy()


def test_mean_over_all_tokens_special_ones_too(model, one_batch):
    spec, folder = model
    encoder = build_encoder(spec, level="frame")
    for text, result in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        rows = last_layer(folder, text)
        np.testing.assert_allclose(result.utterance, rows.mean(axis=0), rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.values, rows[1:-1], rtol=0, atol=1e-5)
        assert len(result.times) == len(result.values)
        (alone,) = encoder.encode([text])
        np.testing.assert_allclose(alone.utterance, result.utterance, rtol=0, atol=1e-5)


def test_utterance_level_keeps_no_rows(model):
    spec, _ = model
    (brief,), (full,) = (build_encoder(spec, level=level).encode(["no"]) for level in ("utterance", "frame"))
    assert brief.values.shape == (0, 16)
    np.testing.assert_array_equal(brief.utterance, full.utterance)


def test_all_parts(model):
    """Joined poolings, a linear map with its activation, length one."""
    import torch
    from safetensors.torch import save_file

    spec, folder = model
    write_parts(
        folder,
        (f"{NEW}pooling.Pooling", "1_Pooling"),
        (f"{NEW}dense.Dense", "2_Dense"),
        (f"{NEW}normalize.Normalize", "3_Normalize"),
    )
    write(folder, "1_Pooling/config.json", {"embedding_dimension": 16, "pooling_mode": ["cls", "max"]})
    write(
        folder,
        "2_Dense/config.json",
        {"in_features": 32, "out_features": 5, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"},
    )
    generator = np.random.default_rng(0)
    weight, bias = generator.normal(size=(5, 32)).astype(np.float32), generator.normal(size=5).astype(np.float32)
    tensors = {"linear.weight": torch.from_numpy(weight), "linear.bias": torch.from_numpy(bias)}
    save_file(tensors, folder / "2_Dense" / "model.safetensors")
    (result,) = build_encoder(spec, level="frame").encode(["我很高兴！"])
    rows = last_layer(folder, "我很高兴！")
    expected = np.tanh(weight @ np.concatenate([rows[0], rows.max(axis=0)]) + bias)
    np.testing.assert_allclose(result.utterance, expected / np.linalg.norm(expected), rtol=0, atol=1e-5)
    assert result.values.shape == (5, 16)


def test_older_weights_of_a_map(model):
    import torch

    spec, folder = model
    write_parts(folder, (f"{OLD}Pooling", "1_Pooling"), (f"{OLD}Dense", "2_Dense"))
    identity = "torch.nn.modules.linear.Identity"
    write(
        folder,
        "2_Dense/config.json",
        {"in_features": 16, "out_features": 2, "bias": False, "activation_function": identity},
    )
    weight = torch.arange(32.0).reshape(2, 16)
    torch.save({"linear.weight": weight}, folder / "2_Dense" / "pytorch_model.bin")
    (result,) = build_encoder(spec).encode(["no"])
    np.testing.assert_allclose(result.utterance, weight @ last_layer(folder, "no").mean(axis=0), rtol=1e-4)


def test_longer_than_the_model_reads(model):
    """The package cuts a text off; here the windows' vectors are averaged by the tokens kept of each."""
    spec, folder = model
    write(folder, "sentence_bert_config.json", {"max_seq_length": 18, "do_lower_case": False})
    encoder = build_encoder(spec, level="frame")
    assert encoder.longest == 18
    (short,) = encoder.encode(["abcdefghijklmnop"])  # sixteen tokens and two special ones
    np.testing.assert_allclose(short.utterance, last_layer(folder, "abcdefghijklmnop").mean(axis=0), atol=1e-5)
    text = "我 很 高 兴 今 天 不 我 很 高 兴 今 天 不 a b c d e f"
    words = text.split()
    (result,) = encoder.encode([text])
    # windows keep 12 and 8 of the 20 tokens and see 2 more on the inner side
    windows = [" ".join(words[:14]), " ".join(words[10:])]
    first, second = (last_layer(folder, window).mean(axis=0) for window in windows)
    np.testing.assert_allclose(result.utterance, (12 * first + 8 * second) / 20, rtol=0, atol=1e-5)
    assert len(result.values) == 20


def test_long_text_of_a_model_that_normalises():
    encoder = build_encoder(get_spec("tiny-sentence", "text"))
    (result,) = encoder.encode(["我很高兴，" * 60])
    assert np.linalg.norm(result.utterance) == pytest.approx(1, abs=1e-6)


def test_capitals_made_small(model):
    spec, folder = model
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")) | {"do_lower_case": False}
    write(folder, "tokenizer_config.json", config)
    (large,), (small,) = (build_encoder(spec).encode([text]) for text in ("NO", "no"))
    assert np.abs(large.utterance - small.utterance).max() > 1e-3
    write(folder, "sentence_bert_config.json", {"do_lower_case": True})
    (lowered,) = build_encoder(spec).encode(["NO"])
    np.testing.assert_array_equal(lowered.utterance, small.utterance)


def test_plain_transformer_is_averaged(saved, tmp_path):
    spec = saved("bert", like="tiny-sentence")
    (result,) = build_encoder(spec).encode(["no"])
    np.testing.assert_allclose(result.utterance, last_layer(tmp_path / "bert", "no").mean(axis=0), rtol=0, atol=1e-5)


def test_transformer_in_a_folder_of_its_own(model):
    spec, folder = model
    (expected,) = build_encoder(spec).encode(["no"])
    (folder / "0_Transformer").mkdir()
    for path in folder.glob("*"):
        if path.is_file() and path.name != "modules.json":
            path.rename(folder / "0_Transformer" / path.name)
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules[0]["path"] = "0_Transformer"
    write(folder, "modules.json", modules)
    for found in (spec, find_spec(f"hf:{folder}", "text")):
        (result,) = build_encoder(found).encode(["no"])
        np.testing.assert_array_equal(result.utterance, expected.utterance)


def test_any_folder_by_name(model):
    _, folder = model
    spec = find_spec(f"hf:{folder}", "text")
    assert (spec.family, spec.pooling) == ("sentence", "own")
    (result,) = build_encoder(spec).encode(["no"])
    np.testing.assert_allclose(result.utterance, last_layer(folder, "no").mean(axis=0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision(model, precision):
    spec, _ = model
    half = build_encoder(dataclasses.replace(spec, precision=precision)).encode(TEXTS)
    for one, other in zip(half, build_encoder(spec).encode(TEXTS), strict=True):
        assert one.utterance.dtype == np.float32
        assert 0 < np.linalg.norm(one.utterance - other.utterance) < 0.03 * np.linalg.norm(other.utterance)


def test_parts_unknown_here(model):
    spec, folder = model
    write_parts(folder, (f"{OLD}Pooling", "1_Pooling"), (f"{OLD}LSTM", "2_LSTM"))
    with pytest.raises(UserError, match="made of Transformer, Pooling, LSTM"):
        build_encoder(spec)


def test_map_without_weights(model):
    spec, folder = model
    write_parts(folder, (f"{OLD}Pooling", "1_Pooling"), (f"{OLD}Dense", "2_Dense"))
    write(folder, "2_Dense/config.json", {"in_features": 16, "out_features": 2})
    with pytest.raises(UserError, match="lacks the weights of its part 2_Dense"):
        build_encoder(spec)


def test_text_in_front_of_every_text(model):
    spec, folder = model
    prompts = {"prompts": {"query": "query: ", "none": ""}, "default_prompt_name": "none"}
    write(folder, "config_sentence_transformers.json", prompts)
    build_encoder(spec)
    write(folder, "config_sentence_transformers.json", prompts | {"default_prompt_name": "query"})
    with pytest.raises(UserError, match="wants 'query: ' in front"):
        build_encoder(spec)

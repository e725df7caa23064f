"""Windows over long texts, and networks with habits of their own."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from feature_extraction.encoder import build_encoder, get_spec
from feature_extraction.text.transformer import longest_window
from toolkit.errors import UserError


class Clock:
    """A stand-in for a network: a token's state is its id, its place in the window, and the window's first id."""

    def __call__(self, input_ids, attention_mask, **inputs):
        import torch

        self.shapes.append(tuple(input_ids.shape))
        places = torch.arange(input_ids.shape[1]).expand_as(input_ids)
        first = input_ids[:, :1].expand_as(input_ids)
        state = torch.stack([input_ids, places, first], dim=-1).float() * attention_mask[..., None]
        return SimpleNamespace(hidden_states=[self.laid_out(state)])

    def __init__(self, laid_out=lambda state: state):
        self.laid_out = laid_out
        self.shapes = []


@pytest.fixture
def encoder():
    spec = dataclasses.replace(get_spec("tiny-bert", "text"), layers=(-1,))
    return build_encoder(spec, level="frame")


def text_of(length: int) -> str:
    """Signs all different, so that one lost, doubled or moved would be seen."""
    return "".join(chr(0x4E00 + k) for k in range(length))


@pytest.mark.parametrize("length", [1, 61, 62, 63, 64, 109, 110, 124, 500, 3001])
def test_windows_cover_each_token_once(encoder, length):
    encoder.network = clock = Clock()
    text = text_of(length)
    (result,) = encoder.encode([text])
    np.testing.assert_array_equal(result.values[:, 0], encoder.reader.read(text).ids)
    assert result.times.tolist() == [[k, k + 1] for k in range(length)]
    assert set(result.values[:, 2]) == {encoder.reader.tokenizer.cls_token_id}  # each window has its own
    assert max(shape[1] for shape in clock.shapes) <= 64
    places = result.values[:, 1]
    seams = np.flatnonzero(np.diff(places) != 1)
    assert (places[seams + 1] == 1 + 62 // 8).all()  # that many tokens before the first one kept
    if length <= 62:
        assert len(seams) == 0


def test_long_text_among_short_ones(encoder):
    texts = ["我", text_of(300), "i am happy"]
    for text, result in zip(texts, encoder.encode(texts), strict=True):
        (alone,) = encoder.encode([text])
        np.testing.assert_allclose(result.values, alone.values, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(result.times, alone.times)


def test_rows_far_from_a_seam_are_those_of_the_window(encoder):
    """The network itself: a window's rows are what it makes of that stretch of text."""
    text = text_of(200)
    (whole,) = encoder.encode([text])
    step, context = 62 - 2 * (62 // 8), 62 // 8
    (window,) = encoder.encode([text[step - context : 2 * step + context]])
    np.testing.assert_allclose(whole.values[step : 2 * step], window.values[context : context + step], atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_time_before_batch(encoder, count):
    """ChatGLM lays its states out as (T, B, D), found by looking, even where T equals B."""
    texts = [f"{'我' * k}很" for k in range(count)]
    encoder.network = Clock()
    expected = encoder.encode(texts)
    del encoder.habits
    encoder.network = Clock(lambda state: state.transpose(0, 1))
    for one, other in zip(encoder.encode(texts), expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    assert encoder.habits.time_first


def test_states_that_are_no_rows_of_tokens(encoder):
    encoder.network = Clock(lambda state: state[:, ::2])
    with pytest.raises(UserError, match="expected a row per token"):
        encoder.encode(["我很高兴"])


def test_layers_there_are_not():
    spec = dataclasses.replace(get_spec("tiny-bert", "text"), layers=(-6,))
    with pytest.raises(UserError, match="There is no layer -6"):
        build_encoder(spec).encode(["我"])


def longest(kind: str, most: float = 1e30, **sizes: int) -> int:
    from transformers import AutoConfig, AutoModel

    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 20}
    network = AutoModel.from_config(AutoConfig.for_model(kind, **small, **sizes))
    return longest_window(network, SimpleNamespace(model_max_length=most))


def test_longest_window():
    assert longest("bert", max_position_embeddings=512) == 512
    assert longest("bert", max_position_embeddings=512, most=128) == 128
    assert longest("roberta", max_position_embeddings=514, pad_token_id=1, intermediate_size=8) == 512
    assert longest("mpnet", max_position_embeddings=514, pad_token_id=1, intermediate_size=8) == 512
    assert longest("gpt2", n_positions=1024) == 1024
    assert longest("bloom") == 1024  # without a limit of its own
    assert longest("llama", max_position_embeddings=4096, intermediate_size=8) == 1024  # memory's


def test_longest_text_has_positions_enough(saved):
    """RoBERTa and its kin number positions from behind the padding token's; one token more would be out of range."""
    for kind, most in {"roberta": 38, "mpnet": 38, "bert": 40, "opt": 40, "gpt2": 40}.items():
        encoder = build_encoder(saved(kind), level="frame")
        assert encoder.longest == most
        room = most - encoder.reader.specials
        for length in (room, room + 1):
            (result,) = encoder.encode(["a" * length])
            assert len(result.values) == length

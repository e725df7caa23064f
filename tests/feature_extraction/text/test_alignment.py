"""Places of tokens, worked out by hand, and those of tokenizers that know them."""

import numpy as np
import pytest

from feature_extraction.text.alignment import align


def join(tokens: list[str]) -> str:
    return "".join(tokens).replace("▁", " ").replace("<unk>", " ⁇ ")


@pytest.mark.parametrize(
    ("text", "tokens", "spans"),
    [
        ("我很好", ["我", "很", "好"], [(0, 1), (1, 2), (2, 3)]),
        # the blank before a word is its own
        ("我 so", ["▁", "我", "▁so"], [(0, 1), (0, 1), (2, 4)]),
        # case and full-width forms do not matter
        ("ＯＫ Fine", ["▁ok", "▁fine"], [(0, 2), (3, 7)]),
        # one character may be written with several
        ("so…no", ["so", "..", ".", "no"], [(0, 2), (2, 3), (2, 3), (3, 5)]),
        # an unknown token stands for what is before the next known one
        ("我龘龘好", ["我", "<unk>", "好"], [(0, 1), (1, 3), (3, 4)]),
        ("好龘", ["好", "<unk>"], [(0, 1), (1, 2)]),
        ("龘", ["<unk>"], [(0, 1)]),
        # tokens that stand for nothing
        ("好", ["<unk>", "好", "<unk>"], [(0, 1), (0, 1), (0, 1)]),
    ],
)
def test_by_hand(text, tokens, spans):
    assert align(text, tokens, join).tolist() == [list(map(float, span)) for span in spans]


def test_bytes_of_a_character_share_its_place():
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer()
    text = "a 我\U0001f600b"
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])
    spans = align(text, tokens, tokenizer.convert_tokens_to_string)
    # the blank is a byte too, and goes with what comes after it
    assert spans.tolist() == [[0, 1], *[[2, 3]] * 4, *[[3, 4]] * 4, [4, 5]]


def test_as_a_tokenizer_that_knows():
    from feature_extraction.text.tiny import character_tokenizer

    tokenizer = character_tokenizer()
    text = "今天，我说 No way — 你听见没有？Fine..."
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    tokens = tokenizer.convert_ids_to_tokens(encoding["input_ids"])
    spans = align(text, tokens, lambda some: "".join(some).replace("##", ""))
    assert spans.tolist() == [list(map(float, span)) for span in encoding["offset_mapping"]]


def test_long_texts_of_unknown_tokens_take_no_time():
    spans = align("龘" * 5000, ["<unk>"] * 5000, join)
    assert (np.diff(spans, axis=0) >= 0).all()
    assert spans[-1, 1] == 5000

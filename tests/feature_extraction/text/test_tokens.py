"""What is text, what is special, and where tokens stand."""

import numpy as np
import pytest

from feature_extraction.text.tiny import byte_tokenizer, character_tokenizer
from feature_extraction.text.tokens import TokenReader, find_surroundings, widen
from toolkit.errors import UserError


@pytest.fixture(scope="module")
def characters() -> TokenReader:
    return TokenReader(character_tokenizer())


@pytest.fixture(scope="module")
def bytes_() -> TokenReader:
    return TokenReader(byte_tokenizer())


def names(reader: TokenReader, text: str) -> list[str]:
    return reader.tokenizer.convert_ids_to_tokens(reader.read(text).ids.tolist())


def test_special_tokens_are_found_not_guessed(characters, bytes_):
    around = characters.surroundings
    tokenizer = characters.tokenizer
    assert (around.before, around.after) == ([tokenizer.cls_token_id], [tokenizer.sep_token_id])
    assert (bytes_.surroundings.before, bytes_.surroundings.after) == ([bytes_.tokenizer.bos_token_id], [])
    assert (characters.specials, bytes_.specials) == (2, 1)


def test_special_tokens_of_other_kinds():
    """XLNet's stand behind the text, with types; ByT5 has no fast tokenizer."""
    from transformers import ByT5Tokenizer, XLNetTokenizer

    pieces = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "▁", "a"]
    around = find_surroundings(XLNetTokenizer(vocab=[(piece, -1.0) for piece in pieces]))
    assert around.before == []
    assert around.after == [4, 3]
    assert (around.text_type, around.after_types) == (0, [0, 2])
    assert find_surroundings(ByT5Tokenizer())[:2] == ([], [1])


def test_tokenizer_that_hides_its_special_tokens():
    class Odd:
        def __call__(self, text, add_special_tokens=True, **options):
            return {"input_ids": [1, 7, 2] if add_special_tokens else [8]}

    with pytest.raises(UserError, match="cannot be told which ones are special"):
        find_surroundings(Odd())


@pytest.mark.parametrize("word", ["[SEP]", "[MASK]", "[CLS][SEP]"])
def test_what_looks_special_is_text(characters, word):
    text = f"我{word}好"
    tokens = characters.read(text)
    assert not set(tokens.ids) & {characters.tokenizer.sep_token_id, characters.tokenizer.mask_token_id}
    assert "".join(names(characters, text)).replace("##", "") == text.lower()
    assert tokens.spans[:, 1].tolist() == list(range(1, len(text) + 1))


def test_end_of_text_in_a_text(bytes_):
    assert names(bytes_, "a</s>b") == list("a</s>b")


def test_end_of_text_in_a_text_of_a_slow_tokenizer():
    from transformers import ByT5Tokenizer

    tokens = TokenReader(ByT5Tokenizer()).read("a</s>b")
    assert tokens.ids.tolist() == [ord(letter) + 3 for letter in "a</s>b"]
    assert tokens.spans.tolist() == [[k, k + 1] for k in range(6)]


def test_end_of_text_in_a_text_of_a_unigram_tokenizer():
    """Its special tokens are words of its vocabulary. It is a row like any other, at its place."""
    from transformers import T5Tokenizer

    pieces = ["<pad>", "</s>", "<unk>", "▁", "a", "b", "<", "/", "s", ">"]
    tokens = TokenReader(T5Tokenizer(vocab=[(piece, -1.0) for piece in pieces], extra_ids=0)).read("a</s>b")
    assert tokens.ids.tolist() == [3, 4, 1, 5]
    assert tokens.spans.tolist() == [[0, 1], [0, 1], [1, 5], [5, 6]]


def test_surround(characters):
    ids = characters.read("我好").ids
    inputs = characters.surround(ids)
    whole = characters.tokenizer("我好")
    assert inputs["input_ids"].tolist() == whole["input_ids"]
    assert inputs["token_type_ids"].tolist() == whole["token_type_ids"]


def test_spans_of_characters(characters):
    assert characters.read("我很 ok！").spans.tolist() == [[0, 1], [1, 2], [3, 4], [4, 5], [5, 6]]


def test_bytes_share_a_character(bytes_):
    # three bytes, a blank, three bytes, two blanks, a letter
    assert bytes_.read("我 好  a").spans.tolist() == [*[[0, 1]] * 3, [1, 2], *[[2, 3]] * 3, [3, 4], [4, 5], [5, 6]]


def test_blank_that_is_put_before_the_text():
    from transformers import XLNetTokenizer

    pieces = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "▁", "a", "我"]
    reader = TokenReader(XLNetTokenizer(vocab=[(piece, -1.0) for piece in pieces]))
    assert names(reader, "我 a") == ["▁", "我", "▁", "a"]
    assert reader.read("我 a").spans.tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]


def test_widen_at_either_end():
    assert widen(np.array([[0, 0], [0, 1]]), 1).tolist() == [[0, 1], [0, 1]]
    assert widen(np.array([[0, 1], [1, 1]]), 1).tolist() == [[0, 1], [0, 1]]
    assert widen(np.array([[0, 1], [2, 2], [3, 3]]), 3).tolist() == [[0, 1], [1, 2], [2, 3]]


def test_half_a_character_is_no_character(characters, bytes_):
    assert characters.read("a\ud800b").spans.tolist() == [[0, 1], [2, 3]]
    assert bytes_.read("a\ud800").spans.tolist() == [[0, 1], *[[1, 2]] * 3]


def test_small_letters_keep_their_places():
    text = "İA ÀB"  # the small form of the first is two characters, so it is left
    reader = TokenReader(byte_tokenizer(), lower=True)
    assert reader.read(text).ids.tolist() == TokenReader(byte_tokenizer()).read("İa àb").ids.tolist()
    assert reader.read(text).spans[-1].tolist() == [4, 5]


def test_nothing_left(characters):
    tokens = characters.read("\u200b")
    assert tokens.ids.shape == (0,)
    assert tokens.spans.shape == (0, 2)

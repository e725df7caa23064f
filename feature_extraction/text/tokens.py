"""Tokens: what a tokenizer makes of a transcript, each with its place; the special ones kept apart."""

import re
from typing import Any, NamedTuple

import numpy as np

from feature_extraction.text.alignment import align
from toolkit.errors import UserError

_PROBE = "a"  # one plain word, to see what a tokenizer puts around it
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokens(NamedTuple):
    """A transcript in tokens, without special ones.

    Attributes:
        ids: ``(t,)`` numbers in the vocabulary
        spans: ``(t, 2)`` the first character a token stands for and the one after its last
    """

    ids: np.ndarray
    spans: np.ndarray


class Surroundings(NamedTuple):
    """The special tokens that a tokenizer puts around every text.

    Attributes:
        before: ids in front of the text
        after: ids behind it
        before_types: token types of those in front
        text_type: token type of the text
        after_types: token types of those behind
    """

    before: list[int]
    after: list[int]
    before_types: list[int]
    text_type: int
    after_types: list[int]


class TokenReader:
    """A tokenizer of transformers as the text families need it.

    Special tokens are those the tokenizer adds, found by looking at what it adds to a word. What merely looks like
    one in a transcript (``[SEP]``, ``</s>``) is text and is read as such; but unigram tokenizers (XLNet's, T5's,
    XLM-R's) have theirs among the words, and find ``</s>`` in a transcript that holds it.

    Spans come from the tokenizer. They neither shrink nor go back, but tokens may share characters: byte-level ones
    cut a Chinese character into up to three tokens, all of which span it. A token of blanks spans these; one that
    stands for nothing in the transcript (the ``▁`` put before the first word) spans the character it is put before.
    Tokenizers written in Python know no places: theirs are found by `align`.

    Args:
        tokenizer: a tokenizer of transformers
        lower: whether capitals are made small first

    Raises:
        UserError: it cannot be told which tokens are special
    """

    def __init__(self, tokenizer: Any, *, lower: bool = False) -> None:
        self.tokenizer = tokenizer
        self.lower = lower
        self.surroundings = find_surroundings(tokenizer)

    @property
    def specials(self) -> int:
        """How many special tokens every text gets."""
        return len(self.surroundings.before) + len(self.surroundings.after)

    def read(self, text: str) -> Tokens:
        """Returns the tokens of a transcript."""
        text = _LONE_SURROGATE.sub("\ufffd", text)  # half a character is in no vocabulary and breaks encodings
        if self.lower:
            text = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
        encoding = self.tokenizer(
            text,
            add_special_tokens=False,
            split_special_tokens=True,
            return_offsets_mapping=self.tokenizer.is_fast,
            verbose=False,
        )
        ids = np.array(encoding["input_ids"], np.int64)
        if "offset_mapping" in encoding:
            return Tokens(ids, widen(np.array(encoding["offset_mapping"], np.float64).reshape(-1, 2), len(text)))
        pieces = self.tokenizer.convert_ids_to_tokens(ids.tolist())
        return Tokens(ids, align(text, pieces, self.tokenizer.convert_tokens_to_string))

    def surround(self, ids: np.ndarray) -> dict[str, np.ndarray]:
        """Returns ``input_ids`` and ``token_type_ids`` of a text, or a stretch of one, with its special tokens."""
        around = self.surroundings
        types = [*around.before_types, *[around.text_type] * len(ids), *around.after_types]
        return {
            "input_ids": np.concatenate([around.before, ids, around.after]).astype(np.int64),
            "token_type_ids": np.array(types, np.int64),
        }


def find_surroundings(tokenizer: Any) -> Surroundings:
    """Returns the special tokens of a tokenizer: what stands around a word when it adds them.

    Raises:
        UserError: the word's own tokens are not among those with special ones
    """
    word = list(tokenizer(_PROBE, add_special_tokens=False)["input_ids"])
    whole = tokenizer(_PROBE, return_token_type_ids=True)
    ids = list(whole["input_ids"])
    types = list(whole.get("token_type_ids", [0] * len(ids)))
    for start in range(len(ids) - len(word) + 1):
        stop = start + len(word)
        if word and ids[start:stop] == word:
            return Surroundings(ids[:start], ids[stop:], types[:start], types[start], types[stop:])
    raise UserError(
        f"{type(tokenizer).__name__} makes {word} of '{_PROBE}' and {ids} with special tokens, so that it cannot be "
        "told which ones are special."
    )


def widen(spans: np.ndarray, length: int) -> np.ndarray:
    """Returns spans of which none is empty.

    Byte-level tokenizers trim blanks from spans, so that a token of blanks alone spans nothing.

    Args:
        spans: ``(t, 2)`` as the tokenizer gives them
        length: characters of the text

    Examples:
        >>> widen(np.array([[0, 1], [2, 2], [2, 3]]), 3).tolist()
        [[0, 1], [1, 2], [2, 3]]
    """
    spans = spans.copy()
    for index in np.flatnonzero(spans[:, 0] == spans[:, 1]):
        used = spans[index - 1, 1] if index else 0
        if used < spans[index, 0]:
            spans[index, 0] = used
        else:
            spans[index] = min(used, length - 1), min(used, length - 1) + 1
    return spans

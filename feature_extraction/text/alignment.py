"""Alignment: the places of tokens in a text, for tokenizers that do not tell."""

from collections.abc import Callable, Sequence
from unicodedata import normalize

import numpy as np

_REACH = 32  # characters that a token which cannot be spelled may stand for
_TOGETHER = 8  # tokens at most that one character is made of, and a few blanks


def align(text: str, tokens: Sequence[str], spell: Callable[[list[str]], str]) -> np.ndarray:
    """Returns ``(t, 2)``, the first character each token stands for and the one after its last.

    The text is read along with the tokens, compared without case and in compatibility form (NFKC). The fewest tokens
    that together spell what comes next share its place: the bytes of a character, a blank and the word after it.
    Where tokens spell nothing that is there (unknown ones), the next token that does ends their stretch, which they
    share; it is the first match, so in such a place spans are as near as can be told.

    Args:
        text: what was tokenised
        tokens: its tokens as the tokenizer names them
        spell: what some tokens in a row read as, ``convert_tokens_to_string``

    Examples:
        >>> align("Ah, so", ["▁ah", ",", "▁", "so"], lambda tokens: "".join(tokens).replace("▁", " ")).tolist()
        [[0.0, 2.0], [2.0, 3.0], [4.0, 6.0], [4.0, 6.0]]
    """
    folded, origin = _fold(text)
    spans = np.zeros((len(tokens), 2))
    place = first = 0  # what of the text is read, and the first token without a place
    for index in range(len(tokens)):
        start = _skip_blanks(folded, place)
        for begin in dict.fromkeys((first, index)):
            if index - begin >= _TOGETHER:
                continue
            spelled = _fold(spell(list(tokens[begin : index + 1])))[0].strip()
            reach = start if begin == first else start + _REACH * (index - first)
            found = folded.find(spelled, start, reach + len(spelled)) if spelled else -1
            if found >= 0:
                spans[first:begin] = origin[start], origin[max(found - 1, start)] + 1
                place = found + len(spelled)
                spans[begin : index + 1] = origin[found], origin[place - 1] + 1
                first = index + 1
                break
    start = min(_skip_blanks(folded, place), max(0, len(folded) - 1))
    spans[first:] = origin[start], len(text)
    return spans


def _fold(text: str) -> tuple[str, list[int]]:
    """Returns a text for comparison, and which character of the text each of its characters comes from."""
    folded, origin = [], []
    for index, character in enumerate(text):
        for part in normalize("NFKC", character).casefold():
            folded.append(part)
            origin.append(index)
    return "".join(folded), [*origin, len(text)]


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place

"""Hashed character n-grams: words as numbers without a vocabulary, a model or a download."""

import hashlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, register
from toolkit.errors import ClipError
from toolkit.status import Status

# Scripts written without blanks: kana, Han, hangul syllables; each character is a token.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"(?P<sign>[{_UNSPACED}])|(?P<word>[^\W{_UNSPACED}]+(?:['’][^\W{_UNSPACED}]+)*)|[^\w\s]")


class Token(NamedTuple):
    """A character of an unspaced script, a word, or a punctuation mark.

    Attributes:
        text: as it counts: compatibility forms unified (NFKC), lower case
        start: first character of it in the transcript
        end: the character after its last
        kind: ``sign``, ``word`` or ``mark``
    """

    text: str
    start: int
    end: int
    kind: str


def tokens(text: str) -> list[Token]:
    """Returns the tokens of a transcript in order.

    Examples:
        >>> [token.text for token in tokens("我很Happy!")]
        ['我', '很', 'happy', '!']
    """
    found = _TOKEN.finditer(text)
    return [Token(normalize("NFKC", m[0]).lower(), m.start(), m.end(), m.lastgroup or "mark") for m in found]


def grams(sequence: Sequence[Token]) -> Iterator[list[str]]:
    """Yields, for each token, the n-grams that end with it; every n-gram of a transcript once.

    Signs give 1- to 3-grams of signs that stand together; a word gives itself, itself with the word before it, and
    its 2- to 4-grams with ``<`` and ``>`` around it, so that forms of a word share numbers; a mark gives itself.
    """
    for index, token in enumerate(sequence):
        if token.kind == "sign":
            yield ["".join(t.text for t in run) for run in _runs(sequence, index)]
        elif token.kind == "word":
            before = sequence[index - 1] if index else None
            pair = [f"{before.text} {token.text}"] if before and before.kind == "word" else []
            bounded = f"<{token.text}>"
            pieces = [bounded[i : i + n] for n in (2, 3, 4) for i in range(len(bounded) - n + 1)]
            yield [f" {token.text}", *pair, *pieces]  # the blank keeps a word apart from a piece of another
        else:
            yield [token.text]


def _runs(sequence: Sequence[Token], index: int) -> Iterator[Sequence[Token]]:
    for length in (1, 2, 3):
        run = sequence[max(0, index - length + 1) : index + 1]
        touching = all(a.end == b.start for a, b in itertools.pairwise(run))
        if len(run) < length or not touching or any(t.kind != "sign" for t in run):
            return
        yield run


@lru_cache(maxsize=1 << 17)
def slot(gram: str, size: int) -> tuple[int, float]:
    """Returns the column of an n-gram and its sign.

    The hash is the first eight bytes of BLAKE2b, little-endian: the lowest bit is the sign (1 is minus), the others,
    modulo ``size``, the column. Python's own ``hash`` differs from process to process.
    """
    number = int.from_bytes(hashlib.blake2b(gram.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
    return (number >> 1) % size, -1.0 if number & 1 else 1.0


def hashed(weights: Iterable[tuple[str, float]], size: int) -> np.ndarray:
    """Returns the weighted n-grams as a vector ``(size,)`` float32 of length one.

    With signs the inner product of two hashed vectors is, on average, that of the unhashed ones (Weinberger et al.
    2009, "Feature hashing for large scale multitask learning").
    """
    vector = np.zeros(size)
    for gram, weight in weights:
        column, sign = slot(gram, size)
        vector[column] += sign * weight
    # A vector is only zero if its n-grams cancelled out exactly.
    return (vector / (np.linalg.norm(vector) or 1.0)).astype(np.float32)


def _spec(name: str, column: str) -> EncoderSpec:
    return EncoderSpec(
        name=name, modality="text", family="char-hash", pooling="own", column=column, options=(("size", 1024),),
        dim=1024,
    )  # fmt: skip


@register
class CharHash(Encoder):
    """Bags of hashed character n-grams, for Chinese and for any script with blanks, or both mixed.

    A frame is a token with the n-grams that end in it. The clip's vector is made of all n-grams, repeated ones
    weighted ``1 + log(count)``. Both have length one. Nothing is learnt, so no clip depends on another.
    """

    family = "char-hash"
    specs = (_spec("char-hash", "text"), _spec("char-hash-english", "english"))

    def encode(self, batch: Sequence[str]) -> list[FrameFeatures | ClipError]:
        """Returns ``values (T, 1024)``, one row per token, ``times (T, 2)`` in characters and ``utterance (1024,)``."""
        return [self._encode(text) for text in batch]

    def _encode(self, text: str) -> FrameFeatures | ClipError:
        size = dict(self.spec.options)["size"]
        sequence = tokens(text)
        if not sequence:
            return ClipError(Status.EMPTY_TEXT, "no letter, sign or mark in the transcript")
        rows = list(grams(sequence))
        counts = Counter(gram for row in rows for gram in row)
        utterance = hashed(((gram, 1 + math.log(n)) for gram, n in counts.items()), size)
        values = np.stack([hashed(((gram, 1.0) for gram in row), size) for row in rows])
        return FrameFeatures(values, np.array([(t.start, t.end) for t in sequence], np.float64), utterance)

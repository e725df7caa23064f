"""A corpus of words and an encoder slow enough to be killed."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, encoders
from feature_extraction.source import TextSource
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.errors import ClipError
from toolkit.status import Status


class LetterCodes(Encoder):
    """A frame per letter: its code point and its square root."""

    family = "letter-codes"
    specs = (EncoderSpec(name="letters", modality="text", family="letter-codes", column="text"),)
    seen: list[str] = []  # noqa: RUF012 - what was encoded, for tests of resuming
    pause = 0.0  # seconds per clip
    broken: frozenset[str] = frozenset()  # texts at which it breaks

    def encode(self, batch: Sequence[str]) -> list[FrameFeatures | ClipError]:
        results: list[FrameFeatures | ClipError] = []
        for text in batch:
            time.sleep(self.pause)
            self.seen.append(text)
            if text in self.broken or "all" in self.broken:
                raise ValueError(f"cannot bear '{text}'\nor so")
            codes = np.array([ord(letter) for letter in text], np.float32)
            spans = np.stack([np.arange(len(text)), np.arange(len(text)) + 1], axis=1)
            values = np.stack([codes, np.sqrt(codes)], axis=1)
            if text == "short":
                results.append(ClipError(Status.TOO_SHORT, "one word is not enough"))
            elif text == "nan":
                results.append(FrameFeatures(values * np.nan, spans))
            else:
                results.append(FrameFeatures(values, spans))
        return results


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> type[LetterCodes]:
    """The encoder, registered for one test."""
    encoders.names()
    monkeypatch.setitem(encoders._items, "letter-codes", LetterCodes)
    monkeypatch.setattr(LetterCodes, "seen", [])
    monkeypatch.setattr(TextSource, "segment_clips", 16)  # so that fifty clips are several segments
    return LetterCodes


@pytest.fixture
def words(tmp_path: Path) -> Corpus:
    """Fifty clips of words, four of them bad in a way of their own."""
    texts = [f"clip number {n}" for n in range(50)]
    texts[3], texts[10], texts[20], texts[33] = "  ", "short", "nan", None
    table = pd.DataFrame({"name": [f"c{n:02d}" for n in range(50)], "text": texts})
    return corpus_from_table("words", tmp_path, table)


@pytest.fixture
def demo_text(tmp_path: Path) -> Corpus:
    """Forty Chinese and English sentences."""
    table = pd.DataFrame(
        {"name": [f"t{n:02d}" for n in range(40)], "text": [f"今天很高兴 happy {n}" for n in range(40)]}
    )
    return corpus_from_table("sentences", tmp_path, table)

"""Folders of corpora, made small."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def processed(tmp_path) -> Callable[..., Path]:
    """Makes a folder as MERTools prepares it.

    ``processed(archive, parts, transcripts=text of the CSV, folder=its name)``, ``parts`` being
    ``{part: {clip: (class, valence)}}``, or ``(class,)`` where there is no valence.
    """

    def make(archive: str, parts: Mapping, transcripts: str | None = None, folder: str = "processed") -> Path:
        root = tmp_path / folder
        root.mkdir()
        labels = {
            part: {name: dict(zip(("emo", "val"), label, strict=False)) for name, label in clips.items()}
            for part, clips in parts.items()
        }
        np.savez_compressed(root / archive, **labels)
        if transcripts is not None:
            (root / "transcription-engchi-polish.csv").write_text(transcripts, encoding="utf-8")
        return root

    return make

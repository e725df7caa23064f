"""Corpora of a few clips and folders of features made on the spot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.cache_import import ImportedSpec
from toolkit.corpus import Corpus, corpus_from_table


@pytest.fixture
def corpus() -> Corpus:
    """Five clips called a to e."""
    return corpus_from_table("five", Path(), pd.DataFrame({"name": list("abcde"), "text": "words"}))


@pytest.fixture
def save(tmp_path) -> Callable[..., Path]:
    """Writes ``save("hubert-UTT", a=array, ...)`` as a folder of npy files and returns it."""

    def write(folder: str, **clips: np.ndarray) -> Path:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for name, values in clips.items():
            np.save(tmp_path / folder / f"{name}.npy", values)
        return tmp_path / folder

    return write


@pytest.fixture
def make_spec() -> Callable[..., ImportedSpec]:
    """Makes the spec of a visual feature, with anything changed."""

    def make(**changed) -> ImportedSpec:
        facts = {"name": "manet", "modality": "visual", "checkpoint": "imported:manet_FRA", "kind": "folder"}
        return ImportedSpec(**facts | changed)

    return make

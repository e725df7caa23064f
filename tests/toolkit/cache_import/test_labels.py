"""Labels written as a table give the same corpus when they are read again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.cache_import.labels import write_labels
from toolkit.corpus import corpus_from_table, load_corpus

TABLE = pd.DataFrame(
    {
        "name": ["v_1", "v_2", "w_1"],
        "split": ["train", "val", "test"],
        "text": ['he said "no",\nthen left', "  你好", None],
        "valence": [1 / 3, np.float32(-0.2), np.nan],
        "valence_text": [0.5, -1.0, 0.0],
        "annotation": ["Positive", "Negative", "Neutral"],
    }
)


@pytest.mark.parametrize(
    ("columns", "options"),
    [
        ({}, {"emotions": (), "valence": (-1.0, 1.0)}),
        ({"emotion": ["happy", "bored", None]}, {"emotions": ("bored", "happy"), "valence": (-5.0, 5.0)}),
        ({"openset": ["['happy', 'calm']", None, None]}, {}),
    ],
)
def test_same_corpus(tmp_path, columns, options):
    corpus = corpus_from_table("mosi", Path("elsewhere"), TABLE.assign(**columns), **options)
    path = write_labels(corpus, tmp_path / "mosi")
    again = load_corpus(str(path))
    assert path == tmp_path / "mosi" / "labels.csv"
    assert (again.name, again.emotions, again.valence) == ("mosi", corpus.emotions, corpus.valence)
    pd.testing.assert_frame_equal(again.table, corpus.table, check_dtype=False)

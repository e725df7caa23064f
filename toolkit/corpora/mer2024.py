"""MER2024 (arXiv 2404.17113), released or as MERTools prepares it: labelled clips, and a pool with SEMI and NOISE."""

from pathlib import Path

import pandas as pd

from toolkit.corpora import mer_release
from toolkit.corpora.mer_prepared import is_prepared, read_prepared
from toolkit.corpus import Corpus, corpus_from_table, readers

# The paper's numbers; the pool of 115,595 clips holds both test sets.
SIZES = {"train": 5030, "test_semi": 1169, "test_noise": 1170, "unlabelled": 113256}
TRAIN, POOL = "video-labeled", "video-unlabeled-with-test2noise"
TRAIN_LABELS = "label-disdim.csv"
PARTS = {
    "train_corpus": "train",
    "test1_corpus": "test_semi",
    "test2_corpus": "test_noise",
}  # the first test is the pool
TEST_LABELS = {
    "test_semi": ("test1_name_convert_label.csv", "test1-label.csv"),
    "test_noise": ("test2_name_convert_label.csv", "test2-label.csv"),
}


@readers.add("mer2024")
def read(path: Path) -> Corpus:
    """Returns MER2024 from its release folder, of which nothing may be missing, or from one that MERTools made of it.

    The folder holds ``video-labeled/`` with ``label-disdim.csv`` and ``label-transcription.csv``, and
    ``video-unlabeled-with-test2noise/``. Which clips of the pool are test clips is known from
    ``test1_name_convert_label.csv`` (SEMI) and ``test2_name_convert_label.csv`` (NOISE); without them, all of it is
    ``unlabelled``. MERTools' folder is that of `read_prepared`, whose archive has no valence: ``label-disdim.csv``
    beside it brings that back.

    Raises:
        UserError: a split has not the published size, or a label is wrong
    """
    table = _table(path)
    got = table["split"].value_counts().to_dict()
    expected = dict(SIZES)
    for split in TEST_LABELS:
        if split not in got:
            expected["unlabelled"] += expected.pop(split)
    mer_release.check_sizes(path, got, expected, partial="mer2024-partial")
    return corpus_from_table("mer2024", path, table)


@readers.add("mer2024-partial")
def read_partial(path: Path) -> Corpus:
    """Returns what there is of MER2024, whatever the sizes."""
    table = _table(path)
    mer_release.check_sizes(path, {"all": len(table)}, {}, partial="")
    return corpus_from_table("mer2024-partial", path, table)


def _table(root: Path) -> pd.DataFrame:
    if is_prepared(root, TRAIN, POOL):
        return read_prepared(root, PARTS, {"train": (TRAIN_LABELS,), **TEST_LABELS})
    train = mer_release.find_table(root, TRAIN_LABELS, folder=TRAIN)
    labels = mer_release.read_labels(train) if train else None
    parts = [mer_release.split_table("train", mer_release.scan_clips(root, TRAIN), labels)]
    pool = mer_release.scan_clips(root, POOL)
    for split, names in TEST_LABELS.items():
        found = mer_release.find_table(root, *names, folder=POOL)
        if found:
            labels = mer_release.read_labels(found)
            parts.append(mer_release.split_table(split, {n: pool.pop(n) for n in labels.index if n in pool}, labels))
    parts.append(mer_release.split_table("unlabelled", pool, None))
    table = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    return mer_release.add_words(table, root)

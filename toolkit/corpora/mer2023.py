"""MER2023 as released (arXiv 2304.08981): train, MULTI, NOISE, and the pool that holds SEMI."""

from pathlib import Path

import pandas as pd

from toolkit.corpora import mer_release
from toolkit.corpus import Corpus, corpus_from_table, readers

# Table 1 of the paper.
SIZES = {"train": 3373, "test_multi": 411, "test_noise": 412, "test_semi": 834, "unlabelled": 73148}
FOLDERS = {"train": "train", "test_multi": "test1", "test_noise": "test2"}


@readers.add("mer2023")
def read(path: Path) -> Corpus:
    """Returns MER2023 from its release folder, of which nothing may be missing.

    The folder holds ``train/``, ``test1/``, ``test2/``, ``test3/`` with AVI or MP4 clips, and ``train-label.csv``,
    ``test1-label.csv`` ... beside or inside them, those of the test sets only once they were released. Clips of
    ``test3`` without a label are ``unlabelled``.

    Raises:
        UserError: a split has not the published size, or a label is wrong
    """
    table = _table(path)
    got = table["split"].value_counts().to_dict()
    expected = dict(SIZES)
    if "test_semi" not in got:  # its labels are not there, so that the whole pool is unlabelled
        expected["unlabelled"] += expected.pop("test_semi")
    mer_release.check_sizes(path, got, expected, partial="mer2023-partial")
    return corpus_from_table("mer2023", path, table)


@readers.add("mer2023-partial")
def read_partial(path: Path) -> Corpus:
    """Returns what there is of MER2023, whatever the sizes."""
    table = _table(path)
    mer_release.check_sizes(path, {"all": len(table)}, {}, partial="")
    return corpus_from_table("mer2023-partial", path, table)


def _table(root: Path) -> pd.DataFrame:
    parts = [_split(root, split, folder) for split, folder in FOLDERS.items()]
    pool = _split(root, "test_semi", "test3")
    labelled = pool["emotion"].notna() if "emotion" in pool else pd.Series(False, index=pool.index)
    parts += [pool[labelled], pool[~labelled].assign(split="unlabelled")]
    table = pd.concat([part for part in parts if len(part)] or [pool], ignore_index=True)
    return mer_release.add_words(table, root)


def _split(root: Path, split: str, folder: str) -> pd.DataFrame:
    labels = mer_release.find_table(root, f"{folder}-label.csv", folder=folder)
    clips = mer_release.scan_clips(root, folder)
    return mer_release.split_table(split, clips, mer_release.read_labels(labels) if labels else None)

"""MER2023 (arXiv 2304.08981), as released or as MERTools prepares it: train, MULTI, NOISE, the pool that holds SEMI."""

from pathlib import Path

import pandas as pd

from toolkit.corpora import mer_release
from toolkit.corpora.mer_prepared import is_prepared, read_prepared
from toolkit.corpus import Corpus, corpus_from_table, readers

# Table 1 of the paper.
SIZES = {"train": 3373, "test_multi": 411, "test_noise": 412, "test_semi": 834, "unlabelled": 73148}
FOLDERS = {"train": "train", "test_multi": "test1", "test_noise": "test2"}
POOL = "test3"
PARTS = {
    "train_corpus": "train",
    "test1_corpus": "test_multi",
    "test2_corpus": "test_noise",
    "test3_corpus": "test_semi",
}


@readers.add("mer2023")
def read(path: Path) -> Corpus:
    """Returns MER2023 from its release folder, of which nothing may be missing, or from one that MERTools made of it.

    The folder holds ``train/``, ``test1/``, ``test2/``, ``test3/`` with AVI or MP4 clips, and ``train-label.csv``,
    ``test1-label.csv`` ... beside or inside them, those of the test sets only once they were released. Clips of
    ``test3`` without a label are ``unlabelled``. MERTools' folder is that of `read_prepared`; the one that MERBench is
    passed on with holds the labelled clips alone.

    Raises:
        UserError: a split has not the published size, or a label is wrong
    """
    table = _table(path)
    got = table["split"].value_counts().to_dict()
    expected = dict(SIZES)
    if "test_semi" not in got:  # its labels are not there, so that the whole pool is unlabelled
        expected["unlabelled"] += expected.pop("test_semi")
    if "unlabelled" not in got and _is_prepared(path):
        del expected["unlabelled"]
    mer_release.check_sizes(path, got, expected, partial="mer2023-partial")
    return corpus_from_table("mer2023", path, table)


@readers.add("mer2023-partial")
def read_partial(path: Path) -> Corpus:
    """Returns what there is of MER2023, whatever the sizes."""
    table = _table(path)
    mer_release.check_sizes(path, {"all": len(table)}, {}, partial="")
    return corpus_from_table("mer2023-partial", path, table)


def _is_prepared(root: Path) -> bool:
    return is_prepared(root, *FOLDERS.values(), POOL)


def _table(root: Path) -> pd.DataFrame:
    if _is_prepared(root):
        tables = FOLDERS | {"test_semi": POOL}
        return read_prepared(root, PARTS, {split: (f"{folder}-label.csv",) for split, folder in tables.items()})
    parts = [_split(root, split, folder) for split, folder in FOLDERS.items()]
    pool = _split(root, "test_semi", POOL)
    labelled = pool["emotion"].notna() if "emotion" in pool else pd.Series(False, index=pool.index)
    parts += [pool[labelled], pool[~labelled].assign(split="unlabelled")]
    table = pd.concat([part for part in parts if len(part)] or [pool], ignore_index=True)
    return mer_release.add_words(table, root)


def _split(root: Path, split: str, folder: str) -> pd.DataFrame:
    labels = mer_release.find_table(root, f"{folder}-label.csv", folder=folder)
    clips = mer_release.scan_clips(root, folder)
    return mer_release.split_table(split, clips, mer_release.read_labels(labels) if labels else None)

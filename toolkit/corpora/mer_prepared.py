"""MER2023 and MER2024 as MERTools prepares them: all clips in one folder, all labels in one archive."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.corpora.mer_release import add_words, find_table, read_labels, scan_clips
from toolkit.corpora.processed import add_media, valence_of
from toolkit.errors import UserError, did_you_mean
from toolkit.label_archive import read_label_archive
from toolkit.labels import MER_EMOTIONS, MER_VALENCE, NO_VALENCE, normalise_emotion

ARCHIVE = "label-6way.npz"
TRAIN, POOL, UNLABELLED = "train", "test_semi", "unlabelled"
# What MERTools writes, without a valence, for every test clip as long as their labels are not known.
NOT_KNOWN = "neutral"


def is_prepared(root: Path, *released: str) -> bool:
    """Returns whether a folder is one that MERTools prepared: with its archive, without the folders of the release."""
    return (root / ARCHIVE).is_file() and not any((root / folder).is_dir() for folder in released)


def read_prepared(root: Path, parts: Mapping[str, str], tables: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Returns the clips of a prepared folder, in the order of splits and names of a release.

    They are those of the archive and of ``video/``. Of tests the archive holds labels only if it was made anew when
    they were known; released label tables, laid beside it, are believed before it. Clips of the pool without a label
    are ``unlabelled``.

    Args:
        root: the folder
        parts: our name of each part of the archive
        tables: file names of the label table of each split, of which the first that is there counts

    Raises:
        UserError: a class or a valence that cannot be, or an unknown part of the archive
    """
    rows = _archive(root / ARCHIVE, parts) | {
        name: (split, emotion, valence)
        for split, files in tables.items()
        if (found := find_table(root, *files))
        for name, emotion, valence in read_labels(found).itertuples()
    }
    rows = dict.fromkeys(scan_clips(root, "video"), (POOL, None, None)) | rows
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["split", "emotion", "valence"])
    table = table.rename_axis("name").sort_index().reset_index()
    table["split"] = table["split"].mask((table["split"] == POOL) & table["emotion"].isna(), UNLABELLED)
    in_order = [table[table["split"] == split] for split in (*parts.values(), UNLABELLED)]
    return add_words(add_media(pd.concat(in_order, ignore_index=True), root), root)


def _archive(path: Path, parts: Mapping[str, str]) -> dict[str, tuple[str, Any, float]]:
    """Returns split, emotion and valence of every clip of an archive."""
    labels = read_label_archive(path)
    for name in labels["name"][labels["name"].duplicated()]:
        raise UserError(f"{path} has '{name}' twice, in {', '.join(labels['part'][labels['name'] == name])}. Keep one.")
    labels["val"] = labels["val"].map(lambda value: float("nan") if value == NO_VALENCE else value)
    rows = {}
    for part, clips in labels.groupby("part", sort=False):
        if part not in parts:
            raise UserError(f"{path} has a part '{part}'. Expected {', '.join(parts)}.")
        known = parts[part] == TRAIN or not ((clips["emo"] == NOT_KNOWN) & clips["val"].isna()).all()
        for name, emotion, valence in clips[["name", "emo", "val"]].itertuples(index=False):
            where = f"{path}, '{name}'"
            label = (_emotion(where, emotion), valence_of(where, valence, MER_VALENCE)) if known else (None, None)
            rows[name] = (parts[part], *label)
    return rows


def _emotion(where: str, word: Any) -> str:
    emotion = normalise_emotion(str(word))
    if emotion not in MER_EMOTIONS:
        raise UserError(f"{where}: unknown emotion '{word}'. {did_you_mean(emotion, MER_EMOTIONS)}")
    return emotion

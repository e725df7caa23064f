"""Folders as MERTools prepares them: labels in one archive, transcripts in two languages, clips side by side."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.corpora.mer_release import find_table, read_words, scan_clips
from toolkit.csv_table import number_of
from toolkit.errors import UserError
from toolkit.label_archive import read_label_archive
from toolkit.labels import NO_VALENCE, is_missing

SPLITS = {"whole_corpus": "train", "train_corpus": "train", "val_corpus": "val", "test_corpus": "test"}
# The first that is there; the later ones hold what the earlier ones were cut or mended from.
VIDEO_FOLDERS = ("subvideo-tgt", "subvideo_new", "video_new", "subvideo", "video")
AUDIO_FOLDERS = ("subaudio", "audio")
TRANSCRIPTS = ("transcription-engchi-polish.csv", "transcription-engchi.csv", "transcription.csv")


def read_first(root: Path, corpus: str, sources: Mapping[str, Callable[[Path], pd.DataFrame]]) -> pd.DataFrame:
    """Returns the table of the first label file that is there.

    Args:
        root: folder of the corpus
        corpus: its name for people
        sources: what reads each kind of label file, by the file's place in ``root``; given ``root``

    Raises:
        UserError: none of them is there
    """
    for place, read in sources.items():
        if (root / place).is_file():
            return read(root)
    raise UserError(f"{root} holds no labels of {corpus}. Expected a folder with {' or '.join(sources)} in it.")


def read_processed(
    root: Path,
    archive: str,
    *,
    language: str,
    emotions: Sequence[str] = (),
    valence: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Returns the clips of a folder with columns of `toolkit.corpus.COLUMNS`, those that are known.

    Args:
        root: the folder
        archive: label archive in it
        language: what is spoken, ``chinese`` or ``english``; the other one becomes a column of that name
        emotions: classes in the order of the archive's numbers, none if it has no classes
        valence: lowest and highest valence, ``None`` if it has no valence

    Raises:
        UserError: a class or a valence that cannot be, an unknown part of the archive, or a bad transcript
    """
    path = root / archive
    labels = read_label_archive(path)
    for part in labels["part"].unique():
        if part not in SPLITS:
            raise UserError(f"{path} has a part '{part}'. Expected {', '.join(SPLITS)}.")
    table = pd.DataFrame({"name": labels["name"], "split": labels["part"].map(SPLITS)})
    where = [f"{path}, '{name}'" for name in labels["name"]]
    if emotions:
        table["emotion"] = [class_of(*cell, emotions) for cell in zip(where, labels["emo"], strict=True)]
    if valence:
        known = labels["val"].map(lambda value: float("nan") if value == NO_VALENCE else value)
        table["valence"] = [valence_of(*cell, valence) for cell in zip(where, known, strict=True)]
    return add_transcripts(add_media(table, root), root, language)


def class_of(where: str, number: Any, emotions: Sequence[str]) -> str:
    """Returns the class of a number.

    Raises:
        UserError: there is no such class
    """
    if number not in range(len(emotions)):
        known = ", ".join(f"{number} {emotion}" for number, emotion in enumerate(emotions))
        raise UserError(f"{where}: the class {number!r} is unknown. Expected one of {known}.")
    return emotions[int(number)]


def valence_of(where: str, cell: Any, limits: tuple[float, float]) -> float:
    """Returns the valence in a cell, NaN where it is missing.

    Args:
        where: file and row, for the message
        cell: a number or its text
        limits: lowest and highest valence

    Raises:
        UserError: the cell holds no number between the limits
    """
    if is_missing(cell):
        return float("nan")
    value = number_of(str(cell))
    if value is None or not limits[0] <= value <= limits[1]:
        raise UserError(f"{where}: the valence '{cell}' is wrong. Expected {limits[0]:g} to {limits[1]:g}.")
    return value


def add_media(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Returns the table with the clips' files, where the folder has any."""
    for column, folders, extensions in (
        ("video", VIDEO_FOLDERS, (".mp4", ".avi")),
        ("audio", AUDIO_FOLDERS, (".wav",)),
    ):
        found = next((folder for folder in folders if (root / folder).is_dir()), None)
        if found:
            table[column] = table["name"].map(scan_clips(root, found, extensions))
    return table


def add_transcripts(table: pd.DataFrame, root: Path, language: str) -> pd.DataFrame:
    """Returns the table with what is said, as column ``text``, and its translation, where the folder has any."""
    path = find_table(root, *TRANSCRIPTS)
    return table if path is None else table.join(read_words(path, language), on="name")

"""The corpus table that every reader gives and every stage takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.errors import UserError
from toolkit.labels import MER_EMOTIONS, MER_VALENCE
from toolkit.registry import Registry

COLUMNS = ("name", "split", "video", "audio", "text", "emotion", "valence", "openset")


@dataclass(frozen=True)
class Corpus:
    """One row per clip; what is missing is missing (NaN), never a sentinel number.

    Attributes:
        name: names the folder of the corpus' caches
        root: folder that the paths in the table are relative to
        table: columns `COLUMNS` and more where a corpus has more; ``name`` is unique; ``video`` and ``audio`` are
            paths, ``text`` is the transcript itself, ``openset`` is a list-like string of words
        emotions: class names in label order, none where the corpus has only valence
        valence: lowest and highest valence
        group: column whose values no fold splits (session, video), where folds of this corpus are made that way
    """

    name: str
    root: Path
    table: pd.DataFrame
    emotions: tuple[str, ...] = MER_EMOTIONS
    valence: tuple[float, float] = MER_VALENCE
    group: str | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def splits(self) -> list[str]:
        """Names of the splits, in order of appearance."""
        return list(dict.fromkeys(self.table["split"]))

    def select(self, *splits: str) -> "Corpus":
        """Returns the corpus with the rows of some splits only, in their order.

        Raises:
            UserError: the corpus has no such split
        """
        for split in splits:
            if split not in self.splits:
                raise UserError(f"Corpus '{self.name}' has no split '{split}'. It has: {', '.join(self.splits)}.")
        return self.only(self.table["split"].isin(splits))

    def only(self, rows: pd.Series) -> "Corpus":
        """Returns the corpus with the rows where the boolean series ``rows (clips,)`` is true."""
        return replace(self, table=self.table[rows].reset_index(drop=True))

    def path(self, value: object) -> Path | None:
        """Returns the absolute path of a ``video`` or ``audio`` cell, ``None`` where the cell is missing."""
        return None if pd.isna(value) else self.root / str(value)


Reader = Callable[[Path], Corpus]
readers: Registry[Reader] = Registry("corpus reader", "toolkit.corpora")


def load_corpus(reference: str) -> Corpus:
    """Returns the corpus named on a command line.

    Args:
        reference: ``reader:path``, or the path of a CSV (short for ``folder:path``)

    Raises:
        UserError: no such reader or path, or the reader met a bad row
    """
    reader, colon, path = reference.partition(":")
    is_word = colon and reader.isidentifier() and len(reader) > 1  # one letter is a drive of Windows
    if reference.lower().endswith(".csv") and (not is_word or Path(reference).is_file()):
        return readers.get("folder")(Path(reference).expanduser())
    if colon and path:
        return readers.get(reader)(Path(path).expanduser())
    known = ", ".join(f"{name}:PATH" for name in readers.names())
    raise UserError(f"'{reference}' names no corpus. Expected a CSV's path or one of {known}.")


def corpus_from_table(name: str, root: Path, table: pd.DataFrame, **options: Any) -> Corpus:
    """Returns a corpus with all of `COLUMNS` present, absent ones filled with missing values.

    Args:
        name: corpus name
        root: folder that the table's paths are relative to
        table: at least the column ``name``; a missing ``split`` becomes ``train``
        options: ``emotions`` and ``valence`` of `Corpus` where they differ from the MER challenges', and ``group``

    Raises:
        UserError: two clips have the same name
    """
    if not table["name"].is_unique:
        double = table["name"][table["name"].duplicated()].iloc[0]
        raise UserError(f"Corpus '{name}' has two clips called '{double}'. Give every clip a name of its own.")
    table = table.copy()
    for column in COLUMNS:
        if column not in table:
            table[column] = "train" if column == "split" else pd.Series(float("nan"), index=table.index)
        cells = table[column].astype(float if column == "valence" else object)
        table[column] = cells.where(cells.notna(), float("nan"))  # None becomes NaN
    others = [column for column in table if column not in COLUMNS]
    return Corpus(name, root, table[[*COLUMNS, *others]].reset_index(drop=True), **options)

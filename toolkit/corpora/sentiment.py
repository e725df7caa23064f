"""Corpora of sentiment, one number per utterance: what MOSI, MOSEI, SIMS and SIMS v2 have in common."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from toolkit.corpora.processed import add_media, read_first, read_processed, valence_of
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.csv_table import bad_row, read_table
from toolkit.errors import UserError
from toolkit.pickle_reader import read_pickle

Source = Callable[[Path], pd.DataFrame]
Limits = tuple[float, float]
MODES = {"train": "train", "valid": "val", "val": "val", "test": "test"}


def sentiment_corpus(name: str, title: str, root: Path, valence: Limits, sources: Mapping[str, Source]) -> Corpus:
    """Returns a corpus without classes, with columns ``video_id`` and ``utterance_no``, the number within the video.

    Args:
        name: corpus name
        title: corpus name for people
        root: its folder
        valence: most negative and most positive sentiment
        sources: what reads each kind of label file, by the file's place in ``root``
    """
    table = read_first(root, title, sources)
    parts = table["name"].str.rpartition("_")
    table = table.assign(video_id=parts[0], utterance_no=pd.to_numeric(parts[2], errors="coerce"))
    return corpus_from_table(name, root, table, emotions=(), valence=valence)


def usual_sources(language: str, valence: Limits, *, table: str = "label.csv", digits: int = 0) -> dict[str, Source]:
    """Returns what reads the label files that all these corpora are passed on with: MERTools' and MMSA's.

    Args:
        language: what is spoken, ``chinese`` or ``english``
        valence: most negative and most positive sentiment
        table: file name of the table that `read_list` reads
        digits: as `clip_names`
    """
    archive = "label.npz"
    return {
        archive: partial(read_processed, archive=archive, language=language, valence=valence),
        table: partial(read_list, place=table, valence=valence, digits=digits),
    }


def read_list(root: Path, place: str, valence: Limits, digits: int = 0) -> pd.DataFrame:
    """Returns the clips of a table ``video_id,clip_id,text,label,mode``, and their files ``Raw/<video>/<clip>.mp4``.

    Args:
        root: folder of the corpus
        place: the table's place in it
        valence: most negative and most positive sentiment
        digits: as `clip_names`

    Raises:
        UserError: a row is wrong
    """
    path = root / place
    known = ("video_id", "clip_id", "text", "label", "mode")
    rows = read_table(path, known=known, required=("video_id", "clip_id", "label", "mode"))
    for row, mode in rows["mode"].items():
        if mode not in MODES:
            raise bad_row(path, row, f"the mode is '{mode}'. Expected train, valid or test.")
    table = pd.DataFrame(
        {
            "name": clip_names(path, rows, digits),
            "split": rows["mode"].map(MODES),
            "valence": ratings(path, rows, valence),
        }
    )
    if "text" in rows:
        table["text"] = rows["text"]
    return add_raw_clips(table, root)


def clip_names(path: Path, rows: pd.DataFrame, digits: int) -> list[str]:
    """Returns ``<video_id>_<clip_id>`` of every row.

    Args:
        path: the table, for the message
        rows: cells of the table
        digits: length to which a clip's number is filled up with zeros, which spreadsheets drop

    Raises:
        UserError: a cell is empty
    """
    for column in ("video_id", "clip_id"):
        empty = rows.index[rows[column].isna()]
        if len(empty):
            raise bad_row(path, empty[0], f"the {column} is empty.")
    return [f"{v.strip()}_{c.strip().zfill(digits)}" for v, c in zip(rows["video_id"], rows["clip_id"], strict=True)]


def ratings(path: Path, rows: pd.DataFrame, valence: Limits) -> list[float]:
    """Returns the sentiment of every row.

    Raises:
        UserError: a cell holds no number between the limits
    """
    return [valence_of(f"{path}, row {row}", cell, valence) for row, cell in rows["label"].items()]


def add_raw_clips(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Returns the table with the files of clips that lie in one folder per video, ``Raw/<video>/<clip>.mp4``."""
    files = {f"{file.parent.name}_{file.stem}": file for file in (root / "Raw").glob("*/*.mp4")}
    paths = [files[name].relative_to(root).as_posix() if name in files else None for name in table["name"]]
    return table.assign(video=pd.Series(paths, table.index, dtype=object))


def read_raw(root: Path, place: str, valence: Limits) -> pd.DataFrame:
    """Returns the clips of the pickle that MERTools prepares MOSI and MOSEI from.

    Seven things: by video its clips' names, their ratings, their speakers and what they say; and the videos of the
    training, validation and test set.

    Args:
        root: folder of the corpus
        place: the pickle's place in it
        valence: most negative and most positive sentiment

    Raises:
        UserError: the pickle asks for more than data, or holds something else
    """
    path = root / place
    content = read_pickle(path)
    rows = []
    try:
        names, labels, _, sentences, *videos = content
        for split, part in zip(("train", "val", "test"), videos, strict=True):
            for video in sorted(part):
                for name, label, words in zip(names[video], labels[video], sentences[video], strict=True):
                    if not isinstance(name, str):
                        raise TypeError(f"a clip of '{video}' is called {name!r}")
                    rows.append((name, split, valence_of(f"{path}, '{name}'", label, valence), words))
    except (TypeError, ValueError, LookupError) as error:
        expected = "Expected seven things: names, ratings, speakers and words by video, then the videos of each split"
        raise UserError(f"{path} holds something else ({type(error).__name__}: {error}). {expected}.") from None
    return add_media(pd.DataFrame(rows, columns=["name", "split", "valence", "text"]), root)

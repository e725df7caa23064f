"""CH-SIMS (Yu et al., ACL 2020): Chinese films and shows, rated from -1 to 1."""

from pathlib import Path

import pandas as pd

from toolkit.corpora.published import published
from toolkit.corpora.sentiment import add_raw_clips, clip_names, ratings, sentiment_corpus, usual_sources
from toolkit.corpus import Corpus
from toolkit.csv_table import bad_row, read_table

SIZES = {"train": 1368, "val": 456, "test": 457}
VALENCE = (-1.0, 1.0)
DIGITS = 4  # of a clip's number: video_0018_0004
RELEASED = "metadata/sentiment/label_M.csv"


@published("sims", SIZES)
def read(path: Path) -> Corpus:
    """Returns CH-SIMS from a folder with any of three label files; columns ``video_id`` and ``utterance_no``.

    They are ``label.npz`` (MERTools, its words in ``transcription-engchi-polish.csv``), ``label.csv`` (MMSA), and those
    of the release: ``metadata/sentiment/label_M.csv`` and ``metadata/{train,val,test}_index.csv``, with words in
    ``metadata/Translation.csv``. Clips of the last two lie in ``Raw/<video>/<clip>.mp4``.

    Raises:
        UserError: no labels, a split of another size, or a wrong row
    """
    sources = usual_sources("chinese", VALENCE, digits=DIGITS) | {RELEASED: _read_release}
    return sentiment_corpus("sims", "CH-SIMS", path, VALENCE, sources)


def _read_release(root: Path) -> pd.DataFrame:
    path = root / RELEASED
    rows = read_table(path, known=("video_id", "clip_id", "label"), required=("video_id", "clip_id", "label"))
    clips = pd.DataFrame({"name": clip_names(path, rows, DIGITS), "valence": ratings(path, rows, VALENCE)})
    parts = [
        clips.iloc[_positions(root / f"metadata/{split}_index.csv", len(clips))].assign(split=split) for split in SIZES
    ]
    table = pd.concat(parts, ignore_index=True)
    translation = root / "metadata/Translation.csv"
    if translation.is_file():
        table = table.join(_words(translation), on="name")
    return add_raw_clips(table, root)


def _positions(path: Path, count: int) -> list[int]:
    """Returns which rows of the label table are in a split, the first being 0."""
    cells = read_table(path, known=("index",), required=("index",))["index"]
    for row, cell in cells.items():
        if not (isinstance(cell, str) and cell.strip().isdecimal() and int(cell) < count):
            raise bad_row(path, row, f"the index is '{cell}'. Expected 0 to {count - 1}, a row of {RELEASED}.")
    return [int(cell) for cell in cells]


def _words(path: Path) -> pd.DataFrame:
    known = ("video_id", "clip_id", "chinese", "english")
    rows = read_table(path, known=known, required=("video_id", "clip_id", "chinese"))
    rows = rows.set_index(pd.Index(clip_names(path, rows, DIGITS))).rename(columns={"chinese": "text"})
    return rows[[column for column in ("text", "english") if column in rows]]

"""MELD (arXiv 1810.02508): dialogues of a television series in seven classes, as released or made by MERTools."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.corpora.mer_release import find_table, scan_clips
from toolkit.corpora.processed import read_processed
from toolkit.corpora.published import published
from toolkit.corpus import Corpus, corpus_from_table
from toolkit.csv_table import bad_row, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.labels import is_missing, normalise_emotion

# In the order of MERTools' numbers, where they are called anger, joy, sadness, neutral, disgust, fear, surprise.
EMOTIONS = ("angry", "happy", "sad", "neutral", "disgust", "fear", "surprise")
SIZES = {"train": 9989, "val": 1109, "test": 2610}
ARCHIVE = "label.npz"  # of MERTools
# What the releases call each split: the folder around it, and the folder of clips.
FOLDERS = {
    "train": ("train", "train_splits"),
    "val": ("dev", "dev_splits_complete"),
    "test": ("test", "output_repeated_splits_test"),
}
COLUMNS = ("utterance", "speaker", "emotion", "sentiment", "dialogue_id", "utterance_id")
NAME = re.compile(r"(train|val|test)_dia(\d+)_utt(\d+)")
# Characters of a Windows code page that were taken for control characters: some copies have them in place of quotes.
MENDED = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0)}


@published("meld", SIZES)
def read(path: Path) -> Corpus:
    """Returns MELD, in the order of its dialogues.

    The folder holds ``train_sent_emo.csv``, ``dev_sent_emo.csv`` and ``test_sent_emo.csv`` (or ``meld_train.csv`` and
    so on), or else MERTools' ``label.npz`` and ``transcription-engchi-polish.csv``. Clips are looked for in the
    folders of the release or of MERTools. Columns ``dialogue`` (unique over the splits) and ``utterance`` (its number
    there); of the released tables also ``speaker`` and ``sentiment``.

    Raises:
        UserError: no labels, a split of another size, or a wrong row
    """
    files = {
        split: find_table(path, f"{outer}_sent_emo.csv", f"meld_{outer}.csv", folder=outer)
        for split, (outer, _) in FOLDERS.items()
    }
    tables = [_read_split(path, split, file) for split, file in files.items() if file]
    table = pd.concat(tables, ignore_index=True) if tables else _read_archive(path)
    table["text"] = table["text"].map(_mend) if "text" in table else float("nan")
    return corpus_from_table("meld", path, table, emotions=EMOTIONS)


def _read_split(root: Path, split: str, file: Path) -> pd.DataFrame:
    rows = read_table(file, known=COLUMNS, required=tuple(name for name in COLUMNS if name != "sentiment"))
    clips = _clips(root, split)
    places, records = [], []
    for row, cells in zip(rows.index, rows.to_dict("records"), strict=True):
        dialogue, utterance = (_number(file, row, cells, column) for column in ("dialogue_id", "utterance_id"))
        name = f"dia{dialogue}_utt{utterance}"
        places.append((dialogue, utterance))
        records.append(
            {
                "name": f"{split}_{name}",
                "split": split,
                "video": clips.get(name),
                "text": cells["utterance"],
                "emotion": _emotion(file, row, cells["emotion"]),
                "speaker": _mend(cells["speaker"]),
                "sentiment": cells.get("sentiment"),
            }
        )
    return _in_order(pd.DataFrame(records), split, places)


def _in_order(table: pd.DataFrame, split: str, places: list[tuple[int, int]]) -> pd.DataFrame:
    """Adds which dialogue each clip is from, and sorts by it."""
    order = sorted(range(len(places)), key=places.__getitem__)
    dialogues = [f"{split}_dia{dialogue}" for dialogue, _ in places]
    return table.assign(dialogue=dialogues, utterance=[utterance for _, utterance in places]).iloc[order]


def _read_archive(root: Path) -> pd.DataFrame:
    if not (root / ARCHIVE).is_file():
        released = ", ".join(f"{outer}_sent_emo.csv" for outer, _ in FOLDERS.values())
        raise UserError(f"{root} holds no labels of MELD. Expected a folder with {released} or {ARCHIVE} in it.")
    table = read_processed(root, ARCHIVE, language="english", emotions=EMOTIONS)
    matches = [NAME.fullmatch(name) for name in table["name"]]
    for name, split, match in zip(table["name"], table["split"], matches, strict=True):
        if match is None or match[1] != split:
            expected = f"{split}_dia0_utt0"
            raise UserError(f"{root / ARCHIVE}: '{name}' is no {split} clip of MELD. Expected a name as {expected}.")
    table["place"] = [(int(match[2]), int(match[3])) for match in matches if match]
    parts = [_in_order(part, split, list(part["place"])) for split, part in table.groupby("split", sort=False)]
    return pd.concat(parts, ignore_index=True).drop(columns="place") if parts else table


def _clips(root: Path, split: str) -> dict[str, str]:
    outer, inner = FOLDERS[split]
    for folder in (inner, f"{outer}/{inner}", outer):
        if (root / folder).is_dir():
            return scan_clips(root, folder)
    return {}


def _number(file: Path, row: int, cells: dict[str, Any], column: str) -> int:
    cell = str(cells[column]).strip()
    if not cell.isdecimal():
        raise bad_row(file, row, f"the {column} '{cell}' is no number. Expected 0, 1 and so on.")
    return int(cell)


def _emotion(file: Path, row: int, cell: Any) -> Any:
    emotion = float("nan") if is_missing(cell) else normalise_emotion(cell)
    if isinstance(emotion, str) and emotion not in EMOTIONS:
        raise bad_row(file, row, f"unknown emotion '{cell}'. {did_you_mean(emotion, EMOTIONS)}")
    return emotion


def _mend(text: Any) -> Any:
    return text.translate(MENDED).strip() if isinstance(text, str) else text

"""One's own clips: a CSV, and the media beside it."""

import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pydantic
import yaml

from toolkit.corpus import COLUMNS, Corpus, corpus_from_table, readers
from toolkit.csv_table import bad_row, number_of, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.labels import MER_EMOTIONS, MER_VALENCE, OTHER_EMOTIONS, class_order, is_missing, normalise_emotion
from toolkit.metrics.open_vocabulary import parse_words

logger = logging.getLogger(__name__)

MEDIA = ("video", "audio", "text")
SYNONYMS = {
    "id": "name", "clip": "name", "clip_id": "name", "filename": "name", "utterance": "name",
    "label": "emotion", "discrete": "emotion", "class": "emotion", "category": "emotion",
    "transcript": "text", "transcription": "text", "sentence": "text",
    "wav": "audio", "sound": "audio", "mp4": "video", "open_set": "openset", "partition": "split", "subset": "split",
}  # fmt: skip
PLAIN_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?"  # 03 is a speaker's name, not a number


class Sidecar(pydantic.BaseModel, extra="forbid"):
    """What ``<stem>.yaml`` beside ``<stem>.csv`` may declare.

    Attributes:
        name: corpus name, the CSV's stem if absent
        emotions: class names in label order; the words of the CSV must be among them; none where there is only valence
        valence: lowest and highest valence
    """

    name: str | None = None
    emotions: list[str] | None = None
    valence: tuple[float, float] = MER_VALENCE


@readers.add("folder")
def read(path: Path) -> Corpus:
    """Returns the corpus described by a CSV: ``name,video,audio,text,emotion,valence,openset,split``.

    Every column but ``name`` and one of ``video``, ``audio``, ``text`` is optional, further columns are kept. Paths
    are relative to the CSV's folder, or absolute. A file that is missing is not an error here: the clip becomes
    ``missing`` when features are extracted. Classes are those of the sidecar, or else those that occur.

    Args:
        path: the CSV

    Raises:
        UserError: the file cannot be read, or a row is wrong; the message names file and row
    """
    table = read_table(path, known=COLUMNS, required=("name",), synonyms=SYNONYMS)
    if not set(MEDIA) & set(table):
        raise bad_row(path, 1, "none of the columns video, audio, text is there. Add one: a path, or the words said.")
    sidecar = _read_sidecar(path.with_suffix(".yaml"))
    table["name"] = _names(path, table["name"])
    declared = None if sidecar.emotions is None else [normalise_emotion(word) for word in sidecar.emotions]
    if "emotion" in table:
        table["emotion"] = _emotions(path, table["emotion"], declared)
    if "valence" in table:
        table["valence"] = _valence(path, table["valence"], sidecar.valence)
    if "openset" in table:
        _check_openset(path, table["openset"])
    if "split" in table:
        table["split"] = table["split"].map(_split, na_action="ignore").fillna("train")
    for column in {"video", "audio"} & set(table):
        table[column] = table[column].str.strip()
    _warn_of_missing_files(path, table)
    for column in set(table) - set(COLUMNS):
        table[column] = _numbers_where_all_are(table[column])
    occurring = class_order(set(table.get("emotion", pd.Series(dtype=object)).dropna()))
    emotions = occurring or MER_EMOTIONS if declared is None else tuple(declared)
    return corpus_from_table(sidecar.name or path.stem, path.parent, table, emotions=emotions, valence=sidecar.valence)


def _read_sidecar(path: Path) -> Sidecar:
    if not path.exists():
        return Sidecar()
    try:
        facts: Any = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
        sidecar = Sidecar.model_validate(facts)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}). Expected a YAML file, or none.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no YAML file: {' '.join(str(error).split())}.") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        example = "'name: my_corpus', 'emotions: [calm, tense]', 'valence: [-3, 3]'"
        raise UserError(f"{path}: '{where}': {first['msg']}. Expected {example}, each optional.") from None
    if not sidecar.valence[0] < sidecar.valence[1]:  # NaN is no end either
        raise UserError(f"{path}: valence is {list(sidecar.valence)}, expected the lowest value first, as in [-3, 3].")
    words = [normalise_emotion(word) for word in sidecar.emotions or []]
    if len(set(words)) < len(words) or "" in words:
        raise UserError(f"{path}: emotions are {words}, expected every class once.")
    if sidecar.name is not None and (not sidecar.name.strip(" .") or set(sidecar.name) & set("/\\")):
        raise UserError(f"{path}: name is '{sidecar.name}', expected a word that can name a folder.")
    return sidecar


def _names(path: Path, names: pd.Series) -> pd.Series:
    first: dict[str, int] = {}
    for row, cell in names.items():
        name = "" if pd.isna(cell) else cell.strip()
        if not name:
            raise bad_row(path, row, "the name is empty. Give every clip a name of its own.")
        if set(name) & set("/\\"):
            raise bad_row(path, row, f"the name '{name}' holds a slash. Names become file names: use '_' instead.")
        if name in first:
            raise bad_row(path, row, f"the name '{name}' is also in row {first[name]}. Give each clip its own.")
        first[name] = row
    return names.str.strip()


def _emotions(path: Path, words: pd.Series, declared: list[str] | None) -> pd.Series:
    known = [*MER_EMOTIONS, *OTHER_EMOTIONS] if declared is None else declared
    emotions = words.map(lambda word: float("nan") if is_missing(word) else normalise_emotion(word))
    for row, emotion in emotions.dropna().items():
        if emotion not in known:
            remedy = f"For classes of your own write 'emotions: [...]' into {path.stem}.yaml beside the CSV."
            problem = f"unknown emotion '{words[row].strip()}'. {did_you_mean(emotion, known)}"
            raise bad_row(path, row, f"{problem} {remedy}")
    return emotions


def _valence(path: Path, cells: pd.Series, limits: tuple[float, float]) -> pd.Series:
    low, high = limits
    values = {}
    for row, cell in cells.items():
        values[row] = value = float("nan") if is_missing(cell) else number_of(cell)
        expected = f"Expected {low:g} to {high:g}, or an empty cell where it is not known."
        if value is None:
            raise bad_row(path, row, f"the valence '{cell}' is no number. {expected}")
        if not is_missing(cell) and not low <= value <= high:
            remedy = f"For another range write 'valence: [low, high]' into {path.stem}.yaml beside the CSV."
            raise bad_row(path, row, f"the valence {cell.strip()} is out of range. {expected} {remedy}")
    return pd.Series(values, dtype=float)


def _check_openset(path: Path, cells: pd.Series) -> None:
    for row, cell in cells.dropna().items():
        try:
            parse_words(cell)
        except UserError as error:
            raise bad_row(path, row, f"the open-set words {error}") from None


def _split(cell: str) -> str:
    split = cell.strip().lower()
    return "unlabelled" if split == "unlabeled" else split


def _warn_of_missing_files(path: Path, table: pd.DataFrame) -> None:
    listings: dict[Path, set[str]] = {}  # one listing per folder: a stat per clip is slow on network disks
    missing = []
    for column in ("video", "audio"):
        for row, cell in table.get(column, pd.Series(dtype=object)).dropna().items():
            file = path.parent / cell
            if file.parent not in listings:
                listings[file.parent] = set(os.listdir(file.parent)) if file.parent.is_dir() else set()
            if file.name not in listings[file.parent]:
                missing.append((row, column, cell))
    if missing:
        row, column, cell = min(missing)
        logger.warning(
            "%s: files missing: %d, the first in row %d (%s '%s'); these clips will be 'missing'.",
            path, len(missing), row, column, cell,
        )  # fmt: skip


def _numbers_where_all_are(cells: pd.Series) -> pd.Series:
    present = cells.dropna()
    return cells.astype(float) if len(present) and present.str.fullmatch(PLAIN_NUMBER).all() else cells

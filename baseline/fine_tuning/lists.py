"""Lists of clips as the authors of MAE-DFER, SVFAP and HiCMAE keep them.

No header, cells apart by spaces: ``clip label``, ``clip sound label``, or numbers in place of the label, ``clip v1 v2
v3``. A clip is a folder of pictures, a picture or a video file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from toolkit.corpus import Corpus, corpus_from_table
from toolkit.csv_table import bad_row, number_of
from toolkit.errors import UserError, did_you_mean
from toolkit.labels import normalise_emotion

SPLITS = ("train", "test", "val")  # in the order of the command line
SOUNDS = frozenset({".wav", ".flac", ".mp3", ".m4a", ".ogg"})

# Classes by the number in the lists, where the authors' order is known.
CLASSES = {
    "dfew": ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
    "ferv39k": ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
    "mafw": (
        "angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt", "anxious", "helplessness",
        "disappointed",
    ),
    "crema-d": ("angry", "disgust", "fear", "happy", "neutral", "sad"),
}  # fmt: skip
# Where it is not: a class is called by its number.
COUNTS = {"ravdess": 8, "enterface05": 6, "msp-improv": 4, "iemocap": 4, "mer2023": 6, "avcaffe": 5}


class Listed(NamedTuple):
    """One line of a list.

    Attributes:
        row: number of the line, from 1
        clip: path as written
        sound: path as written, ``None`` where the list has none
        labels: the other cells
    """

    row: int
    clip: str
    sound: str | None
    labels: tuple[str, ...]


def classes_of(words: Sequence[str]) -> tuple[str, ...]:
    """Returns class names: of a table if one is named, otherwise the words themselves.

    Raises:
        UserError: one word that names no table, or a word twice
    """
    if len(words) == 1:
        name = words[0].lower()
        if name in COUNTS:
            return tuple(map(str, range(COUNTS[name])))
        if name not in CLASSES:
            raise UserError(f"'{words[0]}' is no table of classes. {did_you_mean(name, [*CLASSES, *COUNTS])}")
        return CLASSES[name]
    names = tuple(normalise_emotion(word) for word in words)
    if len(set(names)) < len(names):
        raise UserError(f"The classes {', '.join(names)} are not all different. Give each once.")
    return names


def read_list(path: Path) -> list[Listed]:
    """Returns the lines of a list.

    Raises:
        UserError: the file cannot be read, is empty, or a line is too short
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list: {error}. Expected lines 'clip label'.") from None
    rows = [_listed(path, row, line) for row, line in enumerate(lines, start=1) if line.strip()]
    if not rows:
        raise UserError(f"{path} is empty. Expected lines 'clip label' or 'clip sound label'.")
    return rows


def _listed(path: Path, row: int, line: str) -> Listed:
    clip, *rest = line.split()
    sound = rest.pop(0) if len(rest) > 1 and Path(rest[0]).suffix.lower() in SOUNDS else None
    if not rest:
        raise bad_row(path, row, f"'{line.strip()}' has no label. Expected 'clip label' or 'clip sound label'.")
    return Listed(row, clip, sound, tuple(rest))


def corpus_of_lists(
    paths: Sequence[Path], *, classes: Sequence[str] = (), values: Sequence[str] = (), root: Path | None = None
) -> Corpus:
    """Returns the clips of lists as a corpus, whose names are their paths as written.

    Args:
        paths: of the lists of `SPLITS`, the last of which need not be there
        classes: names by the numbers in the lists, which may have the names themselves
        values: names of the numbers after the paths, in place of classes
        root: folder that paths are relative to, that of each list if absent

    Raises:
        UserError: a line is wrong, or a clip is there twice; the message names file and row
    """
    tables = []
    seen: dict[str, str] = {}
    for split, path in zip(SPLITS, paths, strict=False):
        base = (root or path.parent).absolute()
        rows = []
        for listed in read_list(path):
            if listed.clip in seen:
                remedy = "Clips that are scored or chosen on are not learnt from: take it out of one."
                raise bad_row(path, listed.row, f"the clip '{listed.clip}' is also in {seen[listed.clip]}. {remedy}")
            seen[listed.clip] = f"{path}, row {listed.row}"
            labels = _values(path, listed, values) if values else {"emotion": _class(path, listed, classes)}
            sound = None if listed.sound is None else str(base / listed.sound)
            rows.append({"name": listed.clip, "video": str(base / listed.clip), "audio": sound, **labels})
        tables.append(pd.DataFrame(rows).assign(split=split))
    table = pd.concat(tables, ignore_index=True)
    return corpus_from_table(paths[0].stem, Path(), table, emotions=tuple(classes))


def _class(path: Path, listed: Listed, classes: Sequence[str]) -> str:
    expected = f"Expected one of {', '.join(f'{code} {name}' for code, name in enumerate(classes))}."
    if len(listed.labels) != 1:
        raise bad_row(path, listed.row, f"got {len(listed.labels)} labels after the clip. {expected} Or name --values.")
    word = normalise_emotion(listed.labels[0])
    if word in classes:
        return word
    if not word.isdecimal() or int(word) >= len(classes):
        raise bad_row(path, listed.row, f"'{listed.labels[0]}' is no class. {expected}")
    return classes[int(word)]


def _values(path: Path, listed: Listed, names: Sequence[str]) -> dict[str, float]:
    numbers = [number_of(cell) for cell in listed.labels]
    if len(numbers) != len(names) or None in numbers:
        raise bad_row(path, listed.row, f"got '{' '.join(listed.labels)}'. Expected numbers: {', '.join(names)}.")
    return dict(zip(names, numbers, strict=True))

"""What the releases of MER2023 and MER2024 have in common: folders of clips, label tables, transcripts, known sizes."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from toolkit.csv_table import bad_row, number_of, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.labels import MER_EMOTIONS, MER_VALENCE, NO_VALENCE, is_missing, normalise_emotion

logger = logging.getLogger(__name__)

EXTENSIONS = (".mp4", ".avi")  # the first wins where a clip is there as both
# The first that is there is read; the merged one, made by the organisers' recipe, adds recognised words for the pool.
TRANSCRIPTS = (
    "transcription-merge.csv", "label-transcription.csv", "transcription.csv", "transcription-engchi-polish.csv",
)  # fmt: skip
OPEN_SETS = ("check-openset.csv",)
RECOGNISED = "sentence"  # column in which MERTools' speech recognition writes what is said


def scan_clips(root: Path, folder: str, extensions: Sequence[str] = EXTENSIONS) -> dict[str, str]:
    """Returns the clips of one folder, ``name -> path`` relative to ``root``, none if it is absent.

    Args:
        root: folder of the release
        folder: folder in it
        extensions: of the files wanted; the first wins where a clip is there with several
    """
    if not (root / folder).is_dir():
        return {}
    files = [file for file in (root / folder).iterdir() if not file.name.startswith(".")]
    found = {extension: [file for file in files if file.suffix.lower() == extension] for extension in extensions}
    return {file.stem: f"{folder}/{file.name}" for extension in reversed(extensions) for file in found[extension]}


def find_table(root: Path, *names: str, folder: str = ".") -> Path | None:
    """Returns the first of some files that is there, looked for in ``root`` and in one folder of it."""
    candidates = [place / name for name in names for place in (root, root / folder)]
    return next((path for path in candidates if path.is_file()), None)


def read_labels(path: Path) -> pd.DataFrame:
    """Returns a label table with columns ``emotion`` and ``valence``, indexed by clip name.

    Args:
        path: CSV with columns ``name, discrete`` and perhaps ``valence``; -10 stands for no valence

    Raises:
        UserError: a doubled name, an emotion outside the six classes, or a valence outside -5 to 5
    """
    table = read_named(path, ("discrete", "valence"), required=("name", "discrete"))
    labels = {}
    for name, row, cells in zip(table.index, table["row"], table.to_dict("records"), strict=True):
        emotion = float("nan") if is_missing(cells["discrete"]) else normalise_emotion(cells["discrete"])
        if not is_missing(emotion) and emotion not in MER_EMOTIONS:
            raise bad_row(path, row, f"unknown emotion '{emotion}'. {did_you_mean(emotion, MER_EMOTIONS)}")
        cell = cells.get("valence")
        valence = float("nan") if is_missing(cell) else number_of(cell)
        if valence is None or not (is_missing(cell) or valence == NO_VALENCE or in_range(valence)):
            raise bad_row(path, row, f"the valence '{cell}' is wrong. Expected -5 to 5, or -10 where it is not known.")
        labels[name] = (emotion, float("nan") if valence == NO_VALENCE else valence)
    return pd.DataFrame.from_dict(labels, orient="index", columns=["emotion", "valence"])


def in_range(valence: float) -> bool:
    """Returns whether a number can be a valence of the challenges."""
    return MER_VALENCE[0] <= valence <= MER_VALENCE[1]


def split_table(split: str, clips: Mapping[str, str], labels: pd.DataFrame | None) -> pd.DataFrame:
    """Returns the rows of one split: every clip that has a file or a label, by name.

    Args:
        split: split name
        clips: ``name -> path`` of the clips there are
        labels: as of `read_labels`
    """
    names = sorted(set(clips) | set(() if labels is None else labels.index))
    table = pd.DataFrame({"name": names, "split": split, "video": [clips.get(name) for name in names]}, dtype=object)
    return table if labels is None else table.join(labels, on="name")


def add_words(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Returns the table with the transcripts (``text``, Chinese, and ``english``) and open-set words there are."""
    transcripts = find_table(root, *TRANSCRIPTS)
    if transcripts:
        table = table.join(read_words(transcripts, "chinese"), on="name")
    open_set = find_table(root, *OPEN_SETS)
    if open_set:
        words = read_named(open_set, ("openset",), required=("name", "openset"))
        strangers = len(set(words.index) - set(table["name"]))
        if strangers:
            logger.warning("%s: %d of its %d clips are not in the corpus.", open_set, strangers, len(words))
        table = table.join(words["openset"], on="name")
    return table


def read_words(path: Path, language: str) -> pd.DataFrame:
    """Returns what is said in each clip, as column ``text``, and its translation, if any, indexed by clip name.

    Args:
        path: CSV with a column ``chinese``, ``english`` or both, or that of MERTools' speech recognition; its scripts
            write ``nan`` where there is nothing
        language: what is spoken, ``chinese`` or ``english``; the other one is a column of that name

    Raises:
        UserError: nothing of that language is in it, or as `read_named`
    """
    table = read_named(path, ("chinese", "english", RECOGNISED), required=("name",))
    spoken = language if language in table else RECOGNISED
    if spoken not in table:
        raise bad_row(path, 1, f"column '{language}' is missing; the columns are {', '.join(table)}. Add it.")
    words = table.rename(columns={spoken: "text"})
    words = words[[column for column in ("text", "chinese", "english") if column in words]]
    return words.mask(words == "nan")


def check_sizes(root: Path, got: Mapping[str, int], expected: Mapping[str, int], *, partial: str) -> None:
    """Checks the number of clips of each split against the published one.

    Args:
        root: folder of the release
        got: clips per split
        expected: published clips per split
        partial: name of the reader that takes incomplete copies

    Raises:
        UserError: a split has another size, or the folder holds nothing of the release
    """
    if not sum(got.values()):
        expected_folder = "Expected the folder that the organisers released, or that MERTools made of it"
        raise UserError(f"{root} holds no clips and no labels. {expected_folder}.")
    wrong = [f"{split} {got.get(split, 0)} of {size}" for split, size in expected.items() if got.get(split, 0) != size]
    if wrong:
        raise UserError(
            f"{root} is not the whole release: {', '.join(wrong)} clips. Complete the copy, "
            f"or name it {partial}:{root} to use what is there."
        )


def read_named(path: Path, columns: tuple[str, ...], *, required: tuple[str, ...]) -> pd.DataFrame:
    """Returns the cells of a CSV as strings, indexed by clip name, with the row of the file in column ``row``.

    Args:
        path: the CSV
        columns: known columns besides ``name``
        required: columns that must be there

    Raises:
        UserError: an empty or doubled name, or no table as `read_table` expects it
    """
    table = read_table(path, known=("name", *columns), required=required)
    names = table["name"].str.strip()
    for row, name in names.items():
        if pd.isna(name):
            raise bad_row(path, row, "the name is empty.")
    double = names[names.duplicated()]
    if len(double):
        raise bad_row(path, double.index[0], f"the name '{double.iloc[0]}' is there twice. Keep one of the rows.")
    return table.assign(row=table.index).set_index(names)

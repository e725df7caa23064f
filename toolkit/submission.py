"""Submission files in the organisers' formats, written and validated by the same rules."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from toolkit.corpus import Corpus
from toolkit.csv_table import bad_row, number_of, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.metrics.open_vocabulary import format_words, parse_words
from toolkit.whole_file import whole_file

# Header of each track's file: MER2023 (MULTI) and MER2024 (SEMI, NOISE, OV) evaluation scripts.
COLUMNS = {
    "multi": ("name", "discrete", "valence"),
    "noise": ("name", "discrete"),
    "semi": ("name", "discrete"),
    "ov": ("name", "openset"),
}
# MER2023 asked for valence in NOISE and SEMI too; a file that has it stays valid.
OPTIONAL = {"noise": ("valence",), "semi": ("valence",)}
# Where a track's test clips are, the first split that the corpus has. MER2024 hides them in its unlabelled pool.
TEST_SPLITS = {
    "multi": ("test_multi", "unlabelled"),
    "noise": ("test_noise", "unlabelled"),
    "semi": ("test_semi", "unlabelled"),
    "ov": ("test_ov", "test_semi", "unlabelled"),
}


def test_splits(track: str, corpus: Corpus) -> list[str]:
    """Returns the splits that a track's submission covers, none where the corpus has no test clips."""
    return [split for split in TEST_SPLITS[track] if split in corpus.splits][:1]


test_splits.__test__ = False  # pytest takes every test_* for a test


def write_submission(
    track: str, corpus: Corpus, predictions: pd.DataFrame, path: Path, splits: Sequence[str] | None = None
) -> None:
    """Writes a submission, one row per test clip in the order of the corpus; an invalid one is never written.

    Args:
        track: ``multi``, ``noise``, ``semi`` or ``ov``
        corpus: whose test clips are predicted
        predictions: columns ``name`` and, as the track needs, ``emotion``, ``valence``, ``openset`` (lists of words);
            further clips are left out
        path: file to write
        splits: splits it must cover, the track's own if absent

    Raises:
        UserError: the submission would not be valid; the message names clip and reason
    """
    names = _expected(track, corpus, splits)
    table = predictions.rename(columns={"emotion": "discrete"})
    absent = [column for column in COLUMNS[track] if column not in table]
    if absent:
        got = ", ".join(map(str, predictions.columns))
        raise UserError(f"Predictions for track {track} have no column '{absent[0]}'. They have: {got}.")
    table = table[table["name"].isin(set(names))]
    if "openset" in COLUMNS[track]:
        table = table.assign(openset=[_listed(words) for words in table["openset"]])
    order = {name: number for number, name in enumerate(names)}
    table = table.sort_values("name", key=lambda column: column.map(order), kind="stable")
    with whole_file(path) as target:
        table.to_csv(target, index=False, columns=list(COLUMNS[track]), lineterminator="\n")
        try:
            validate_submission(track, corpus, target, splits)
        except UserError as error:
            raise UserError(str(error).replace(str(target), f"{path} (not written)")) from None


def validate_submission(track: str, corpus: Corpus, path: Path, splits: Sequence[str] | None = None) -> None:
    """Checks a submission: header, every test clip once and no other, and what stands in each cell.

    A byte-order mark and blanks around cells are overlooked. An empty list of words is valid.

    Args:
        track: ``multi``, ``noise``, ``semi`` or ``ov``
        corpus: whose test clips are predicted
        path: the file
        splits: splits it must cover, the track's own if absent

    Raises:
        UserError: it is not valid; the message names the first wrong row
    """
    expected = _expected(track, corpus, splits)
    allowed = (*COLUMNS[track], *OPTIONAL.get(track, ()))
    table = read_table(path, known=allowed)
    _check_header(path, track)
    checks = {"discrete": _check_emotion, "valence": _check_valence, "openset": _check_words}
    wanted, seen = set(expected), {}
    for row, *cells in table.itertuples(name=None):
        for column, cell in zip(table.columns, cells, strict=True):
            cell = cell.strip() if isinstance(cell, str) else cell
            if column == "name":
                _check_name(path, row, cell, wanted, seen)
            else:
                checks[column](path, row, cell, corpus)
    missing = [name for name in expected if name not in seen]
    if missing:
        count = f"{len(missing)} of {len(expected)} clips are missing"
        raise bad_row(path, table.index[-1] + 1, f"the file ends, but {count}, the first is '{missing[0]}'.")


def _expected(track: str, corpus: Corpus, splits: Sequence[str] | None) -> list[str]:
    if track not in COLUMNS:
        raise UserError(f"Unknown track '{track}'. {did_you_mean(track, COLUMNS)}")
    splits = list(splits) if splits else test_splits(track, corpus)
    if not splits:
        wanted = " or ".join(TEST_SPLITS[track])
        raise UserError(f"Corpus '{corpus.name}' has no split {wanted}, so there is nothing to submit for {track}.")
    return corpus.select(*splits).table["name"].tolist()


def _check_header(path: Path, track: str) -> None:
    """Checks the header as it stands: the organisers' scripts know no other order, case or delimiter."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = tuple(cell.strip() for cell in next(csv.reader(file), []))
    if header not in (COLUMNS[track], (*COLUMNS[track], *OPTIONAL.get(track, ()))):
        got, right = ",".join(header), ",".join(COLUMNS[track])
        raise bad_row(path, 1, f"the header is {got}, expected {right} for track {track}.")


def _check_name(path: Path, row: int, name: object, wanted: set[str], seen: dict[str, int]) -> None:
    if pd.isna(name):
        raise bad_row(path, row, "the name is empty.")
    if name not in wanted:
        raise bad_row(path, row, f"'{name}' is not among the {len(wanted)} clips to predict. Leave it out.")
    if name in seen:
        raise bad_row(path, row, f"'{name}' stands in row {seen[name]} already. Keep one of the two.")
    seen[name] = row


def _listed(words: object) -> object:
    """Returns words in the organisers' way; what is missing stays missing, to be refused and not taken for no word."""
    missing = words is None or (isinstance(words, float) and pd.isna(words))
    return float("nan") if missing else format_words(parse_words(words))


def _check_emotion(path: Path, row: int, cell: object, corpus: Corpus) -> None:
    if cell not in corpus.emotions:
        got = "the emotion is empty" if pd.isna(cell) else f"'{cell}' is no class of this corpus"
        raise bad_row(path, row, f"{got}. {did_you_mean(str(cell), corpus.emotions)}")


def _check_valence(path: Path, row: int, cell: object, corpus: Corpus) -> None:
    low, high = corpus.valence
    number = None if pd.isna(cell) or "," in str(cell) else number_of(str(cell))  # scripts know no decimal comma
    if number is None or not low <= number <= high:
        raise bad_row(path, row, f"valence is '{cell}', expected a number from {low:g} to {high:g}.")


def _check_words(path: Path, row: int, cell: object, corpus: Corpus) -> None:
    try:
        if pd.isna(cell) or not str(cell).strip().startswith("["):
            raise UserError(f"openset is '{cell}'. Expected a list such as ['happy', 'relieved'], or [] for no word.")
        parse_words(cell)
    except UserError as error:
        raise bad_row(path, row, str(error)) from None

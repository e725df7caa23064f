"""Tables in CSV files as people really write them, with every complaint naming file and row."""

import csv
import difflib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from toolkit.errors import UserError, did_you_mean

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
BLANK = ' \t,;"'  # what a line may hold that says nothing
csv.field_size_limit(2**27)


def bad_row(path: Path, row: int, problem: str) -> UserError:
    """Returns the error for one row of a file.

    Args:
        path: the file
        row: row number as a spreadsheet counts, the header being row 1
        problem: what is wrong and what would be right

    Examples:
        >>> str(bad_row(Path("clips.csv"), 3, "the name is empty. Give every clip a name."))
        'clips.csv, row 3: the name is empty. Give every clip a name.'
    """
    return UserError(f"{path}, row {row}: {problem}")


def read_table(
    path: Path, *, known: Iterable[str], required: Iterable[str] = (), synonyms: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Returns the cells of a CSV as strings; blank cells are NaN.

    UTF-8 with or without a byte-order mark; comma, semicolon or tab, whichever gives the most known columns. Known
    columns may be written in any case. Columns without a name (an index that was written along) and blank rows are
    dropped, also above the header.

    Args:
        path: the file
        known: columns that mean something to the caller; others are kept as they are
        required: known columns that must be there
        synonyms: other words people use for known columns, only to make the error better

    Returns:
        table whose index is the row number as a spreadsheet counts, the header being row 1 if it is at the top

    Raises:
        UserError: no such file, not UTF-8, no known delimiter, a column that looks misspelt, a required column
            missing, a column doubled, a row with too many or too few cells, or no rows at all
    """
    known = list(known)
    text = _read_text(path)
    delimiter = _sniff(path, text, known)
    records = _records(path, text, delimiter)
    top = next(number for number, cells in enumerate(records, start=1) if any(cell.strip() for cell in cells))
    header = [cell.strip() for cell in records[top - 1]]
    header = [cell.lower() if cell.lower() in known else cell for cell in header]
    _check_header(path, top, header, known, list(required), synonyms or {})
    rows = {}
    for number, cells in enumerate(records[top:], start=top + 1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            remedy = f"Leave cells empty, not out, and put text that holds a {DELIMITERS[delimiter]} in double quotes."
            raise bad_row(path, number, f"has {len(cells)} cells, the header has {len(header)}. {remedy}")
        rows[number] = [cell if cell.strip() else None for cell in cells]
    if not rows:
        raise UserError(f"{path} has a header and no rows. Expected one row per clip.")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=header, dtype=object)
    return table.loc[:, [bool(name) for name in header]].where(lambda t: t.notna(), float("nan"))


def number_of(cell: str) -> float | None:
    """Returns the number in a cell, written with a point or a decimal comma, ``None`` if it holds none.

    Examples:
        >>> number_of(" -1.25 "), number_of("1,5"), number_of("high")
        (-1.25, 1.5, None)
    """
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return None


def _read_text(path: Path) -> str:
    if path.is_dir():
        found = ", ".join(sorted(file.name for file in path.glob("*.csv"))[:5]) or "none"
        raise UserError(f"{path} is a folder, expected a CSV file. CSV files in it: {found}.")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        here = sorted(file.name for file in path.parent.glob("*.csv")) if path.parent.is_dir() else []
        raise UserError(f"There is no file {path}. {did_you_mean(path.name, here[:20])}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise bad_row(path, row, "is not UTF-8. Save the file as 'CSV UTF-8', or convert it with iconv.") from None


def _sniff(path: Path, text: str, known: list[str]) -> str:
    top, line = next(((n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip(BLANK)), (1, ""))
    if not line:
        raise UserError(f"{path} is empty. Expected a header row with columns such as {', '.join(known[:3])}.")
    cells = {d: [cell.strip().strip('"').lower() for cell in line.split(d)] for d in DELIMITERS}
    best = max(DELIMITERS, key=lambda d: (len(set(cells[d]) & set(known)), len(cells[d])))
    if len(cells[best]) == 1 and cells[best][0] not in known:
        raise bad_row(
            path, top, f"the header {line.strip()[:60]!r} is parted by neither comma, semicolon nor tab. "
            "Save the file with one of them between cells."
        )  # fmt: skip
    return best


def _records(path: Path, text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[list[str]] = []
    try:
        records.extend(reader)
    except csv.Error as error:
        remedy = "Look for a double quote that is not closed or not doubled."
        raise bad_row(path, len(records) + 1, f"cannot be read ({error}). {remedy}") from None
    return records


def _check_header(
    path: Path, row: int, header: list[str], known: list[str], required: list[str], synonyms: Mapping[str, str]
) -> None:
    for name in header:
        if name and header.count(name) > 1:
            raise bad_row(path, row, f"column '{name}' is there {header.count(name)} times. Keep one of them.")
    absent = [name for name in known if name not in header]
    for name in header:
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.8) if name not in known else []
        meant = near[0] if near else synonyms.get(name.lower())
        if meant in absent:
            problem = f"unknown column '{name}', and column '{meant}' is missing. Rename it to '{meant}'."
            raise bad_row(path, row, problem)
    for name in required:
        if name in absent:
            others = ", ".join(cell for cell in header if cell)
            raise bad_row(path, row, f"column '{name}' is missing; the columns are {others}. Add it.")

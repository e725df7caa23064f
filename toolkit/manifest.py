"""A CSV with one row per finished clip that outlives a killed run."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from toolkit.whole_file import whole_file


class Manifest:
    """Rows by clip name; each is on disk as soon as it is added.

    Attributes:
        path: the CSV
        columns: its columns, the first being ``name``
        rows: what it holds, by name; a row that a killed run left half written is dropped

    Args:
        path: the CSV, which need not exist
        columns: its columns; a file with others counts as empty
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.columns = list(columns)
        self.rows: dict[str, dict[str, str]] = {}
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if reader.fieldnames == self.columns:
                    self.rows = {row["name"]: row for row in reader if None not in row and None not in row.values()}
        self.rewrite(self.rows)

    def add(self, row: dict[str, str]) -> None:
        """Appends a row."""
        self.rows[row["name"]] = row
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def rewrite(self, names: Iterable[str]) -> None:
        """Writes the file anew with the rows of these clips only, in this order."""
        self.rows = {name: self.rows[name] for name in names}
        with whole_file(self.path) as target, target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.rows.values())

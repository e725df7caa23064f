"""Tables as people and programs read them: CSV and Markdown, whole or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.console import aligned
from toolkit.whole_file import whole_file


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Writes a table as CSV."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_markdown(title: str, paragraphs: Sequence[str], table: pd.DataFrame, path: Path) -> None:
    """Writes a heading, paragraphs and a table as Markdown."""
    text = "\n\n".join([f"# {title}", *paragraphs, "\n".join(markdown_lines(table))]) + "\n"
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def markdown_lines(table: pd.DataFrame) -> list[str]:
    """Returns the lines of a table in Markdown, numbers with four digits, without columns that hold nothing.

    Examples:
        >>> markdown_lines(pd.DataFrame({"name": ["a|b"], "score": [0.25]}))
        ['| name | score |', '| --- | ---: |', '| a\\\\|b | 0.2500 |']
    """
    table = _filled(table)
    rules = ["---:" if pd.api.types.is_numeric_dtype(table[column]) else "---" for column in table]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return [f"| {' | '.join(cells)} |" for cells in ([str(column) for column in table], rules, *rows)]


def plain_lines(table: pd.DataFrame) -> list[str]:
    """Returns the lines of a table for the terminal, numbers with four digits, without columns that hold nothing."""
    table = _filled(table)
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return aligned([[str(column) for column in table], *rows])


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    return table[[column for column in table if any(map(_cell, table[column]))]]


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{round(value, 4) + 0.0:.4f}"  # no minus in front of nothing
    return str(value).replace("|", "\\|").replace("\n", " ")

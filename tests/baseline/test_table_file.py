"""Tables in Markdown, CSV and for the terminal."""

import pandas as pd

from baseline.table_file import plain_lines, write_csv, write_markdown

TABLE = pd.DataFrame(
    {
        "rank": pd.array([1, None], dtype="Int64"),
        "name": ["a|b", "two\nlines"],
        "score": [0.123456, -0.00001],
        "note": [None, "worse"],
    }
)


def test_markdown(tmp_path):
    write_markdown("Title", ["First.", "Second."], TABLE, tmp_path / "new" / "table.md")
    assert (tmp_path / "new" / "table.md").read_text() == (
        "# Title\n\nFirst.\n\nSecond.\n\n"
        "| rank | name | score | note |\n"
        "| ---: | --- | ---: | --- |\n"
        "| 1 | a\\|b | 0.1235 |  |\n"
        "|  | two lines | 0.0000 | worse |\n"
    )


def test_csv(tmp_path):
    write_csv(TABLE, tmp_path / "table.csv")
    assert (
        tmp_path / "table.csv"
    ).read_bytes() == b'rank,name,score,note\n1,a|b,0.123456,\n,"two\nlines",-1e-05,worse\n'


def test_plain():
    assert plain_lines(TABLE[["rank", "score"]]) == ["rank  score", "1     0.1235", "      0.0000"]

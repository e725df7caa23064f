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


def test_columns_that_hold_nothing_are_left_out_for_people(tmp_path):
    """A single seed has no deviation, and where all went well there is nothing to note; zeros are something."""
    table = TABLE.assign(over_seeds=float("nan"), note="", failed=0)
    assert plain_lines(table)[0].split() == ["rank", "name", "score", "failed"]
    write_markdown("Title", [], table, tmp_path / "table.md")
    assert "| rank | name | score | failed |" in (tmp_path / "table.md").read_text()
    write_csv(table, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().startswith("rank,name,score,note,over_seeds,failed\n")

"""Tables as people really write them."""

import pytest

from toolkit.csv_table import read_table
from toolkit.errors import UserError

KNOWN = ("name", "text", "emotion", "valence")


def write(folder, data):
    path = folder / "t.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    "data",
    [
        "name,text\na,hi\n", "name;text\r\na;hi\r\n", "name\ttext\na\thi\n", "\ufeffName,TEXT\na,hi\n",
        'name,text\n"a","hi"', "name,text\n\na,hi\n,\n", ",name,text\n0,a,hi\n",
    ],
    ids=["comma", "semicolon", "tab", "byte-order mark", "quoted", "blank rows", "index column"],
)  # fmt: skip
def test_ways_to_write_the_same(tmp_path, data):
    table = read_table(write(tmp_path, data), known=KNOWN)
    assert table.to_dict("records") == [{"name": "a", "text": "hi"}]


def test_row_numbers_count_as_a_spreadsheet_does(tmp_path):
    table = read_table(write(tmp_path, 'name,text\na,"two\nlines"\n,\nb,x\n'), known=KNOWN)
    assert list(table.index) == [2, 4]
    assert table["text"][2] == "two\nlines"


@pytest.mark.parametrize("start", ["\n\n", " \r\n,,\r\n"])
def test_blank_rows_above_the_header(tmp_path, start):
    table = read_table(write(tmp_path, start + "name,text\na,hi\n"), known=KNOWN)
    assert table.to_dict("index") == {4: {"name": "a", "text": "hi"}}
    with pytest.raises(UserError, match=r"row 3: column 'name' is missing"):
        read_table(write(tmp_path, start + "text,emotion\na,b\n"), known=KNOWN, required=("name",))


def test_blank_cells_are_missing_and_words_are_not(tmp_path):
    table = read_table(write(tmp_path, "name,text,emotion\na,  ,NA\n"), known=KNOWN)
    assert list(table.isna().iloc[0]) == [False, True, False]


def test_semicolon_file_with_commas_in_text(tmp_path):
    table = read_table(write(tmp_path, "name;text\na;well, yes, no\n"), known=KNOWN)
    assert table["text"][2] == "well, yes, no"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", r"t\.csv is empty. Expected a header row"),
        (' \n"",""\n', r"t\.csv is empty. Expected a header row"),
        ("name,text\n", r"t\.csv has a header and no rows"),
        ("name|text\na|hi\n", r"row 1: the header 'name\|text' is parted by neither comma, semicolon nor tab"),
        ("text,emotion\na,b\n", r"row 1: column 'name' is missing; the columns are text, emotion. Add it."),
        ("name,text,text\na,b,c\n", r"row 1: column 'text' is there 2 times. Keep one of them."),
        ("name,text,emotoin\na,b,c\n", r"row 1: unknown column 'emotoin', and column 'emotion' is missing. Rename it"),
        ("name,text,label\na,b,c\n", r"row 1: unknown column 'label', and column 'emotion' is missing."),
        ("name,text\na,b\nb,well, yes\n", r"row 3: has 3 cells, the header has 2. .* text that holds a comma in"),
        ("name,text\na\n", r"row 2: has 1 cells, the header has 2. Leave cells empty, not out"),
        ('name,text\na,"b\n', r"row 2: cannot be read .* a double quote that is not closed"),
        ("name,text\na,b\nc,生气\n".encode("gbk"), r"row 3: is not UTF-8. Save the file as 'CSV UTF-8'"),
        ("name,text\na,b\n".encode("utf-16"), r"row 1: is not UTF-8"),
    ],
    ids=["empty", "blank", "no_rows", "delimiter", "missing_column", "doubled_column", "misspelt", "synonym",
         "many_cells", "few_cells", "open_quote", "gbk", "utf16"],
)  # fmt: skip
def test_bad_tables(tmp_path, data, message):
    with pytest.raises(UserError, match=message):
        read_table(write(tmp_path, data), known=KNOWN, required=("name",), synonyms={"label": "emotion"})


def test_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "clips.csv").touch()
    with pytest.raises(UserError, match=r"There is no file .*clip\.csv. Did you mean 'clips\.csv'\?"):
        read_table(tmp_path / "clip.csv", known=KNOWN)


def test_folder_instead_of_file(tmp_path):
    (tmp_path / "clips.csv").touch()
    with pytest.raises(UserError, match=r"is a folder, expected a CSV file. CSV files in it: clips\.csv."):
        read_table(tmp_path, known=KNOWN)


def test_extra_columns_may_look_like_known_ones_that_are_there(tmp_path):
    table = read_table(write(tmp_path, "name,emotion,emotions\na,b,c\n"), known=KNOWN)
    assert list(table) == ["name", "emotion", "emotions"]

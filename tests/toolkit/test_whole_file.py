"""Files that appear whole or not at all."""

import pytest

from toolkit.whole_file import whole_file


def test_appears_at_the_end_in_a_folder_that_is_made(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with whole_file(path) as target:
        target.write_text("a")
        assert not path.exists()
        assert (target.parent, target.suffix) == (path.parent, ".csv")
    assert path.read_text() == "a"
    assert list(path.parent.iterdir()) == [path]


def test_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("before")

    def fail():
        with whole_file(path) as target:
            target.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]

"""A CSV that outlives a killed run."""

import pytest

from toolkit.manifest import Manifest

COLUMNS = ("name", "snr", "reason")


@pytest.fixture
def path(tmp_path):
    """A manifest of two clips; one reason has a comma and a line's end in it."""
    manifest = Manifest(tmp_path / "new" / "manifest.csv", COLUMNS)
    manifest.add({"name": "a", "snr": "5", "reason": ""})
    manifest.add({"name": "b", "snr": "", "reason": "silent, all of it\nreally"})
    return manifest.path


def test_rows_are_on_disk_at_once(path):
    assert path.read_bytes() == b'name,snr,reason\r\na,5,\r\nb,,"silent, all of it\nreally"\r\n'


def test_read_again(path):
    rows = Manifest(path, COLUMNS).rows
    assert list(rows) == ["a", "b"]
    assert rows["b"] == {"name": "b", "snr": "", "reason": "silent, all of it\nreally"}


def test_torn_row_is_dropped_and_the_next_one_stands_alone(path):
    path.write_bytes(path.read_bytes() + b"c,7")
    manifest = Manifest(path, COLUMNS)
    manifest.add({"name": "d", "snr": "9", "reason": ""})
    assert list(Manifest(path, COLUMNS).rows) == ["a", "b", "d"]


def test_other_columns_count_as_empty(path):
    assert Manifest(path, ("name", "blur")).rows == {}
    assert path.read_text() == "name,blur\n"


def test_rewrite_orders_and_drops(path):
    manifest = Manifest(path, COLUMNS)
    manifest.add({"name": "c", "snr": "6", "reason": ""})
    manifest.rewrite(["c", "a"])
    assert list(Manifest(path, COLUMNS).rows) == ["c", "a"]

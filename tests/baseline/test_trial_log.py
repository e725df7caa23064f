"""The log of trials: what a kill leaves behind is read, and other settings are refused."""

import json

import pytest

from baseline.trial_log import TrialLog
from toolkit.errors import UserError

SETTINGS = {"seed": 0, "training": {"epochs": 5, "gradient_clip": None}, "space": {"network.hidden": (4, 8)}}
RECORDS = {"a": {"merits": [[0.1, 0.2]]}, "b": {"note": "line\u2028ends\nhere"}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "runs" / "trials.jsonl"
    log = TrialLog(path, SETTINGS)
    log.append(RECORDS)
    assert log.records == RECORDS
    return path


def test_what_was_written_is_read(path):
    log = TrialLog(path, SETTINGS)
    assert log.records == RECORDS
    log.append({"c": {"merits": ()}})
    assert list(TrialLog(path, SETTINGS).records) == ["a", "b", "c"]
    assert path.read_text().count("\n") == 4


def test_later_line_of_a_key_holds(path):
    TrialLog(path, SETTINGS).append({"a": {"merits": [[0.5]]}})
    assert TrialLog(path, SETTINGS).records["a"] == {"merits": [[0.5]]}


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_torn_last_line_is_cut_off(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert list(TrialLog(path, SETTINGS).records) == ["a"]
    TrialLog(path, SETTINGS).append({"b": RECORDS["b"]})
    assert path.read_bytes() == whole


def test_torn_first_line_begins_anew(path):
    path.write_bytes(path.read_bytes()[:10])
    assert TrialLog(path, SETTINGS).records == {}
    assert json.loads(path.read_text()) == json.loads(json.dumps(SETTINGS))


def test_damaged_line_is_named(path):
    lines = path.read_text().split("\n")
    path.write_text("\n".join([lines[0], lines[1][:-2], *lines[2:]]))
    with pytest.raises(UserError, match=r"trials.jsonl, line 2, is damaged. Take the line out"):
        TrialLog(path, SETTINGS)


@pytest.mark.parametrize("line", ["3", "{}", "[]"])
def test_line_that_is_no_record_is_named(path, line):
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UserError, match=r"trials.jsonl, line 4, is damaged. Take the line out"):
        TrialLog(path, SETTINGS)


def test_damaged_settings_are_not_to_be_taken_out(path):
    path.write_text("nothing\n" + path.read_text())
    with pytest.raises(UserError, match=r"trials.jsonl, line 1, is damaged. Delete the file to begin anew"):
        TrialLog(path, SETTINGS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"training": {"epochs": 6, "gradient_clip": None}}, "'training.epochs' was 5 and is now 6"),
        ({"space": {"network.hidden": (4, 8, 16)}}, r"'space.network.hidden' was \[4, 8\] and is now \[4, 8, 16\]"),
        ({"protocol": "mertools"}, "'protocol' was null and is now \"mertools\""),
    ],
)
def test_other_settings_are_refused(path, changed, message):
    before = path.read_bytes()
    with pytest.raises(UserError, match=message):
        TrialLog(path, SETTINGS | changed)
    assert path.read_bytes() == before
    assert TrialLog(path, SETTINGS | changed, overwrite=True).records == {}


def test_same_settings_are_not_overwritten(path):
    assert TrialLog(path, SETTINGS, overwrite=True).records == RECORDS

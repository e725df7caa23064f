"""What every command shares."""

import errno
import sys

import pytest

from toolkit.console import aligned, main, spread
from toolkit.errors import UserError


def end_of(app, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--name", "a", "b"])
    with pytest.raises(SystemExit) as end:
        main(app, many={"--name"})
    return end.value.code


def fail(error):
    def app(arguments):
        raise error

    return app


def test_arguments_reach_the_app_spread(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "argv", ["program", "--name", "a", "b"])
    main(seen.append, many={"--name"})
    assert seen == [["--name", "a", "--name", "b"]]


def test_user_error(monkeypatch, capsys):
    assert end_of(fail(UserError("Got a cat. Expected a dog.")), monkeypatch) == 2
    assert capsys.readouterr() == ("", "error: Got a cat. Expected a dog.\n")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG])
def test_a_path_that_cannot_be_used(monkeypatch, capsys, number):
    assert end_of(fail(OSError(number, "No way", "some/where")), monkeypatch) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: some/where cannot be used: No way. Expected ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "of no file"), ValueError("a bug"), OSError(errno.EIO, "bad disk", "some/where")],
    ids=["no_file", "bug", "disk"],
)
def test_bugs_keep_their_traceback(monkeypatch, error):
    monkeypatch.setattr(sys, "argv", ["program"])
    with pytest.raises(type(error)):
        main(fail(error))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--split a b --out d", "--split a --split b --out d"),
        ("--out d --split a", "--out d --split a"),
        ("file --split a b --snr -5 5", "file --split a --split b --snr -5 5"),
        ("--split a --split b c", "--split a --split b --split c"),
        ("--split", "--split"),
        ("", ""),
    ],
)
def test_spread(line, expected):
    assert spread(line.split(), {"--split"}) == expected.split()


def test_aligned_table():
    assert aligned([("clip", "status"), ("demo_1", "ok")]) == ["clip    status", "demo_1  ok"]
    assert aligned([]) == []

"""What was tried so far, on the disk, so that a killed search, ranking or fusion goes on where it was."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.cache.disk import sync_folder
from toolkit.errors import UserError


class TrialLog:
    """One JSON line per trial, added at the end and put on the disk before the next is begun.

    The first line says with which settings the trials were made. A last line without its end, which a killed process
    leaves behind, is cut off.

    Args:
        path: the file; made where it does not exist
        settings: whatever decides the results, as JSON can hold it
        overwrite: whether a log with other settings is begun anew

    Attributes:
        records: what came of each trial, by its key, in the order of the file

    Raises:
        UserError: the log was made with other settings and is not to be overwritten, or it is damaged
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, overwrite: bool = False) -> None:
        self.path = path
        self.records: dict[str, dict[str, Any]] = {}
        now = json.loads(json.dumps(settings))  # as it comes back from the file
        lines = _whole_lines(path)
        if lines and (difference := _difference(_parsed(path, 1, lines[0]), now)):
            if not overwrite:
                raise UserError(_refusal(path.parent, *difference))
            path.unlink()
            lines = []
        if not lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write([now])
            sync_folder(path.parent)
        for number, line in enumerate(lines[1:], start=2):
            record = _parsed(path, number, line)
            self.records[record.pop("key")] = record

    def append(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Adds what came of some trials, by key; all of it is on the disk afterwards."""
        self._write([{"key": key, **record} for key, record in records.items()])
        self.records |= {key: json.loads(json.dumps(record)) for key, record in records.items()}

    def _write(self, lines: list[Mapping[str, Any]]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
        with self.path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _whole_lines(path: Path) -> list[str]:
    """Returns the lines of a file that have an end, and cuts off what comes after them."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(path, len(whole))
    return whole.decode(errors="replace").split("\n")[:-1]


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError:
        facts = None
    if isinstance(facts, dict) and ("key" in facts or number == 1):
        return facts
    remedy = "Take the line out; its trial is then made again." if number > 1 else "Delete the file to begin anew."
    raise UserError(f"{path}, line {number}, is damaged. {remedy}")


def _difference(before: Any, now: Any, place: str = "") -> tuple[str, Any, Any] | None:
    """Returns name and both values of the first setting that differs, ``None`` if none does."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return None if before == now else (place, before, now)
    for key in sorted(before.keys() | now.keys()):
        found = _difference(before.get(key), now.get(key), f"{place}.{key}" if place else key)
        if found:
            return found
    return None


def _refusal(folder: Path, name: str, before: Any, now: Any) -> str:
    was, given = (json.dumps(value, ensure_ascii=False) for value in (before, now))
    return (
        f"{folder} was begun with other settings: '{name}' was {was} and is now {given}. Give this one a --name, or "
        "--overwrite to lose that one."
    )

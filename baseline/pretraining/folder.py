"""The folder of a pretraining: whose run it holds, and how far that has come."""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import yaml

from baseline.pretraining.checkpoint import last_checkpoint
from baseline.pretraining.settings import PretrainingSettings
from baseline.run_directory import CONFIG, ENVIRONMENT
from toolkit.errors import ClipError, UserError
from toolkit.whole_file import whole_file

FAILURES, PAGES = "failures.csv", "reconstructions"


def require_own(folder: Path, settings: PretrainingSettings) -> None:
    """Looks whether a folder is free, or holds a run of these settings.

    Raises:
        UserError: it holds another run; the message names the first setting that differs
    """
    path = folder / CONFIG
    if not path.is_file():
        if last_checkpoint(folder) is not None:
            raise UserError(f"{folder} holds checkpoints of another program. Choose another --out.")
        return
    try:
        before = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read ({error}). Choose another --out, or --overwrite.") from error
    now = settings.model_dump(mode="json")
    differing = [key for key in now if not isinstance(before, dict) or before.get(key) != now[key]]
    if differing:
        key = differing[0]
        was = before.get(key) if isinstance(before, dict) else before
        raise UserError(
            f"{folder} holds a pretraining with {key} {was}, not {now[key]}. Choose another --out, or --overwrite to "
            "lose that one."
        )


def clear(folder: Path) -> None:
    """Removes an earlier pretraining, and nothing else, from a folder."""
    names = (CONFIG, ENVIRONMENT, FAILURES, "curve.csv", "curve.png")
    pages = (folder / PAGES).glob("epoch-*.png")
    for path in (*(folder / name for name in names), *folder.glob("checkpoint-*.pth"), *pages):
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes the checkpoints that killed runs were writing; those of the base sizes have a gigabyte."""
    for path in folder.glob(".*.pth"):
        path.unlink()


def write_settings(folder: Path, settings: PretrainingSettings) -> None:
    """Writes ``config.yaml``."""
    with whole_file(folder / CONFIG) as path:
        path.write_text(settings.to_yaml(), encoding="utf-8")


def write_failures(folder: Path, failures: Mapping[str, ClipError]) -> None:
    """Writes ``failures.csv``: name, status and reason of each clip that could not be read."""
    with whole_file(folder / FAILURES) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "status", "reason"))
        writer.writerows((name, error.status.value, error.reason) for name, error in sorted(failures.items()))


def counted(failures: Mapping[str, ClipError]) -> str:
    """Returns how many clips failed and of what, such as ``2 no_face, 1 silent``."""
    counts = Counter(error.status.value for error in failures.values())
    return ", ".join(f"{count} {status}" for status, count in counts.most_common())

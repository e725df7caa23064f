"""Finished runs side by side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baseline.reporting.main_score import main_key, main_split
from baseline.spread import plus_minus
from toolkit.console import aligned
from toolkit.errors import UserError

HEAD = ("track", "run", "score", "folds", "test", "split", "minutes", "submission")


def table_of_runs(folders: Sequence[Path]) -> list[str]:
    """Returns a table with one line per run: what is scored, on the folds, on the test split, how long it took.

    Where a protocol other than the honest one was used, a column says so.

    Args:
        folders: run directories; what a run has not (labelled test clips, a submission) is a dash

    Raises:
        UserError: one is no run directory
    """
    every = [_metrics(folder) for folder in folders]
    protocols = [str(metrics.get("protocol", "honest")) for metrics in every]
    rows = [HEAD, *(_row(folder, metrics) for folder, metrics in zip(folders, every, strict=True))]
    if set(protocols) != {"honest"}:
        rows = [(*row[:2], word, *row[2:]) for word, row in zip(["protocol", *protocols], rows, strict=True)]
    return aligned(rows)


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / "metrics.json"
    if not path.is_file():
        raise UserError(
            f"{folder} has no metrics.json. Expected the directory of a finished run, such as RUNS/multi/NAME."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def _row(folder: Path, metrics: dict[str, Any]) -> tuple[str, ...]:
    validation, split = metrics.get("validation", {}), main_split(metrics)
    key = main_key(validation)
    folds = plus_minus(validation[key]) if key else "-"
    scores = metrics["test"][split]["scores"] if split else {}
    test = f"{scores[main_key(scores)]:.4f}" if split else "-"
    minutes = f"{metrics['seconds'] / 60:.1f}" if "seconds" in metrics else "-"
    submission = folder / "submission.csv"
    name = str(metrics.get("score_name", "score"))
    return (
        str(metrics["track"]),
        folder.resolve().name,
        name,
        folds,
        test,
        split or "-",
        minutes,
        str(submission) if submission.exists() else "-",
    )

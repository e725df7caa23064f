"""Finished runs side by side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baseline.reporting.main_score import main_key, main_split
from baseline.spread import plus_minus
from toolkit.console import aligned
from toolkit.errors import UserError

HEAD = ("track", "score", "folds", "test", "split", "minutes", "submission")


def table_of_runs(folders: Sequence[Path]) -> list[str]:
    """Returns a table with one line per run: what is scored, on the folds, on the test split, how long it took.

    Args:
        folders: run directories; what a run has not (labelled test clips, a submission) is a dash

    Raises:
        UserError: one is no run directory
    """
    return aligned([HEAD, *(_row(folder) for folder in folders)])


def _row(folder: Path) -> tuple[str, ...]:
    path = folder / "metrics.json"
    if not path.is_file():
        raise UserError(
            f"{folder} has no metrics.json. Expected the directory of a finished run, such as RUNS/multi/NAME."
        )
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
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
        name,
        folds,
        test,
        split or "-",
        minutes,
        str(submission) if submission.exists() else "-",
    )

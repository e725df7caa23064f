"""The last lines of a run: scores by split, and where everything is."""

import json
from pathlib import Path
from typing import Any

from baseline import run_directory as files
from toolkit.console import aligned


def summary_lines(folder: Path) -> list[str]:
    """Returns a table of scores by split and the paths of a finished run's files."""
    metrics: dict[str, Any] = json.loads((folder / files.METRICS).read_text(encoding="utf-8"))
    rows = [("out of fold", metrics["out_of_fold"]), *metrics["test"].items()]
    rows = [(name, entry) for name, entry in rows if entry["scores"]]
    keys = list(dict.fromkeys(key for _, entry in rows for key in entry["scores"]))
    table = [("split", "clips", *keys)]
    for name, entry in rows:
        cells = (f"{entry['scores'][key]:.4f}" if key in entry["scores"] else "" for key in keys)
        table.append((name, str(entry["clips"]), *cells))
    mean = metrics["validation"].get("score", {"mean": float("nan"), "std": float("nan")})
    lines = aligned(table)
    lines.append(
        f"score: {metrics['score_name']}; folds {mean['mean']:.4f} ± {mean['std']:.4f}; {metrics['selection']}"
    )
    for name, entry in metrics.get("modalities", {}).items():
        lines.append(f"{name}: {entry['validation']['score']['mean']:.4f} ± {entry['validation']['score']['std']:.4f}")
    missing = sum(metrics["without_features"].values())
    if missing:
        lines.append(f"{missing} clips have none of the features and got the training prior")
    written = [name for name in (files.SUBMISSION, files.PREDICTIONS, files.REPORT) if (folder / name).exists()]
    return lines + [str(folder / name) for name in written]

"""The last lines of a run: scores by split, and where everything is."""

import json
from pathlib import Path
from typing import Any

from baseline import run_directory as files
from baseline.config import PROTOCOLS
from baseline.spread import plus_minus
from toolkit.console import aligned


def summary_lines(folder: Path) -> list[str]:
    """Returns a table of scores by split and the paths of a finished run's files."""
    metrics: dict[str, Any] = json.loads((folder / files.METRICS).read_text(encoding="utf-8"))
    rows = [("out of fold", metrics["out_of_fold"]), *metrics["test"].items()]
    rows = [(name, entry) for name, entry in rows if entry["scores"]]
    keys = list(dict.fromkeys(key for _, entry in rows for key in entry["scores"]))
    table = [("split", "clips", *keys, "interval")]
    for name, entry in rows:
        cells = (f"{entry['scores'][key]:.4f}" if key in entry["scores"] else "" for key in keys)
        table.append(
            (name, str(entry["clips"]), *cells, " to ".join(f"{end:.4f}" for end in entry.get("interval", [])))
        )
    lines = aligned(table)
    lines.append(f"score: {metrics['score_name']}, {_folds(metrics)}; {metrics['selection']}")
    lines.append("interval: of the score over the clips, 95 % by bootstrap")
    lines.append(f"protocol {metrics['protocol']}: {PROTOCOLS[metrics['protocol']]}")
    lines += _seeds(metrics.get("seeds", {}))
    compared = metrics.get("modalities", {})
    lines += [f"{name}: {_folds(entry)}" for name, entry in compared.items() if len(compared) > 1]
    missing = sum(metrics["without_features"].values())
    if missing:
        lines.append(f"{missing} clips have none of the features and got the training prior")
    written = [name for name in (files.SUBMISSION, files.PREDICTIONS, files.REPORT) if (folder / name).exists()]
    return lines + [str(folder / name) for name in written]


def _seeds(seeds: dict[str, Any]) -> list[str]:
    """Returns mean and standard deviation of the score over seeds, each alone, nothing of a single seed."""
    if not seeds:
        return []
    spreads = [
        f"{name} {plus_minus(entry['score'])}"
        for name, entry in seeds.items()
        if name in seeds["each"] and "score" in entry
    ]
    return [f"{len(seeds['seeds'])} seeds, each alone: {', '.join(spreads)}"]


def _folds(entry: dict[str, Any]) -> str:
    """Returns mean and standard deviation of the score over the folds, in words."""
    score = entry["validation"].get("score")
    return f"folds {plus_minus(score)}" if score else "no scores"

"""The last lines of a fine-tuning: scores, how the epoch was chosen, and where everything is."""

import json
from pathlib import Path
from typing import Any

from baseline import run_directory as files
from baseline.spread import plus_minus
from toolkit.console import aligned

SHORT = {"unweighted_recall": "UAR", "accuracy": "WAR"}  # as the authors call them


def summary_lines(folder: Path) -> list[str]:
    """Returns a table of scores by split and what is to be known of them."""
    metrics: dict[str, Any] = json.loads((folder / files.METRICS).read_text(encoding="utf-8"))
    named = [("folds pooled", metrics["out_of_fold"]), *metrics["test"].items()]
    named = [(name, entry) for name, entry in named if entry["scores"]]
    keys = [key for key in (named[0][1]["scores"] if named else {}) if key != "score"]
    heads = [SHORT.get(key, key) for key in keys]
    rows = [(name, str(entry["clips"]), *(f"{entry['scores'][key]:.4f}" for key in keys)) for name, entry in named]
    lines = aligned([("clips of", "number", *heads), *rows]) if rows else ["no clip has a label to be scored by"]
    if metrics["validation"]:
        lines.append(f"{metrics['score_name']}, mean of folds: {plus_minus(metrics['validation']['score'])}")
    epochs = ", ".join(map(str, metrics["epochs"]))
    lines.append(f"epoch {epochs}: {metrics['selection']}")
    unread = {part: count for part, count in metrics["unreadable"].items() if count}
    lines.append(str(folder / files.PREDICTIONS))
    if unread:
        counts = ", ".join(f"{count} of {part}" for part, count in unread.items())
        lines.append(
            f"clips that cannot be read: {counts}; those scored got the training prior ({folder / 'failures.csv'})"
        )
    return lines

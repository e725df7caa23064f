"""Which of a run's many numbers stands for it."""

from collections.abc import Mapping
from typing import Any


def main_split(metrics: Mapping[str, Any]) -> str | None:
    """Returns the test split that the track is judged by: its own where scored, else the first that has scores."""
    tests = {name: entry for name, entry in metrics.get("test", {}).items() if entry.get("scores")}
    own = f"test_{metrics.get('track')}"
    return own if own in tests else next(iter(tests), None)


def main_key(scores: Mapping[str, Any]) -> str | None:
    """Returns the score that a run is judged by: the track's own, or weighted F1, or whichever is there."""
    return next((key for key in ("score", "weighted_f1", *scores) if key in scores), None)

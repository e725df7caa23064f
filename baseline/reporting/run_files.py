"""What a run left behind, read back: the only things a report knows."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from baseline.reporting.predictions import read_predictions
from toolkit.errors import UserError


@dataclass(frozen=True)
class RunFiles:
    """The files of a run directory; what is not there is empty, except the metrics.

    Attributes:
        folder: the run directory
        metrics: ``metrics.json``
        config_text: ``config.yaml`` as it stands
        config: ``config.yaml``
        environment: ``environment.json``
        predictions: ``predictions.csv`` in the form of `read_predictions`, no rows where there is none
        folds: ``folds.csv``, columns ``name, fold``, no rows where there is none
    """

    folder: Path
    metrics: dict[str, Any]
    config_text: str
    config: dict[str, Any]
    environment: dict[str, Any]
    predictions: pd.DataFrame
    folds: pd.DataFrame

    @property
    def track(self) -> str:
        """Name of the track."""
        return str(self.metrics.get("track", self.folder.parent.name))


def read_run(folder: Path) -> RunFiles:
    """Returns what a run directory holds.

    Raises:
        UserError: it is no run directory, or a file in it is damaged
    """
    if not (folder / "metrics.json").is_file():
        what = "has no metrics.json" if folder.is_dir() else "is no folder"
        raise UserError(f"{folder} {what}. Expected the directory of a finished run, such as RUNS/multi/NAME.")
    try:
        config_text = _text(folder / "config.yaml")
        config = yaml.safe_load(config_text) or {}
        return RunFiles(
            folder,
            json.loads(_text(folder / "metrics.json")),
            config_text.strip(),
            config if isinstance(config, dict) else {},
            json.loads(_text(folder / "environment.json") or "{}"),
            read_predictions(folder / "predictions.csv"),
            _table(folder / "folds.csv", "name", "fold"),
        )
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"A file of {folder} is damaged ({reason}). Run the track again into it.") from error


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _table(path: Path, *columns: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"name": str}) if path.is_file() else pd.DataFrame(columns=list(columns))

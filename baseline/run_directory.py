"""The files of a run beside its numbers: where they go, what they were made with."""

import json
import logging
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from baseline.config import RunConfig
from baseline.dataset import FeatureSource
from toolkit.errors import UserError

logger = logging.getLogger(__name__)

CONFIG, FOLDS, METRICS, PREDICTIONS = "config.yaml", "folds.csv", "metrics.json", "predictions.csv"
SUBMISSION, MODEL, ENVIRONMENT, REPORT = "submission.csv", "model.safetensors", "environment.json", "report.html"
_LIBRARIES = ("torch", "numpy", "pandas", "h5py", "safetensors", "pydantic")


def claim(config: RunConfig, *, overwrite: bool) -> Path:
    """Returns the run directory, emptied of an earlier run's files.

    Raises:
        UserError: another run is there, with other settings, and ``overwrite`` is false
    """
    folder = config.folder
    if (folder / METRICS).exists() and not overwrite:
        before = folder / CONFIG
        if not before.is_file() or before.read_text(encoding="utf-8") != config.to_yaml():
            raise UserError(
                f"{folder} holds a run with other settings. Give this one a --name, or --overwrite to lose that one."
            )
    folder.mkdir(parents=True, exist_ok=True)
    # The metrics say that a run is complete: they go first and come last.
    for name in (METRICS, CONFIG, FOLDS, PREDICTIONS, SUBMISSION, MODEL, ENVIRONMENT, REPORT):
        (folder / name).unlink(missing_ok=True)
    return folder


def write_json(facts: Mapping[str, Any], path: Path) -> None:
    """Writes JSON, whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def environment(sources: Mapping[str, FeatureSource], device: str) -> dict[str, Any]:
    """Returns what a run was made with: versions, device, commit, and the identity of every cache."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device,
        "git_commit": git_commit(),
        "versions": {library: metadata.version(library) for library in _LIBRARIES},
        "caches": describe_sources(sources),
    }


def describe_sources(sources: Mapping[str, FeatureSource]) -> dict[str, Any]:
    """Returns modality, identity, spec, file and time of making of every cache."""
    return {
        key: {
            "modality": source.modality,
            "identity": source.cache.identity,
            "corpus": source.cache.corpus,
            "path": str(source.cache.path),
            "created": source.cache.created,
            "spec": source.cache.spec,
        }
        for key, source in sources.items()
    }


def git_commit() -> str | None:
    """Returns the commit of the code that runs, with ``-dirty`` where files differ; ``None`` outside a checkout."""
    here = Path(__file__)

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # the package may stand in another project's checkout
        return git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")
    except (OSError, subprocess.SubprocessError) as error:
        logger.debug("no git commit: %s", error)
        return None

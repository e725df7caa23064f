"""One fine-tuning, from its settings to its directory."""

import hashlib
import json
import logging
import shutil
import time
from pathlib import Path

import torch
import yaml

from baseline import run_directory as files
from baseline.face_clips.sources import open_clips
from baseline.fine_tuning.example import ExampleMaker
from baseline.fine_tuning.fold import Fold, goal_and_folds
from baseline.fine_tuning.fold_training import FoldTraining, Outcome, read_outcome
from baseline.fine_tuning.goal import Goal
from baseline.fine_tuning.learner import Learner
from baseline.fine_tuning.network import begin
from baseline.fine_tuning.results import failure_table, metrics_of, prediction_table
from baseline.fine_tuning.settings import FineTuningConfig
from toolkit.device import resolve_device
from toolkit.errors import UserError
from toolkit.whole_file import whole_file

logger = logging.getLogger(__name__)

TRACK, FAILURES, BASIS = "finetune", "failures.csv", "basis.json"
ELSEWHERE = ("device", "workers", "out")  # what a training may go on with otherwise


def run(config: FineTuningConfig, *, overwrite: bool = False) -> Path:
    """Learns, predicts and scores; what was ended goes on, and gives what it would have given.

    Args:
        config: the settings
        overwrite: whether a run with other settings may be replaced

    Returns:
        the run directory; ``metrics.json`` is written last but for the report

    Raises:
        UserError: settings, clips or checkpoint are not as they should be
    """
    started = time.monotonic()
    device = resolve_device(config.device)
    goal, folds = goal_and_folds(config)
    folder = _claim(config, _basis(config, goal, folds), overwrite=overwrite)
    outcomes = []
    with torch.random.fork_rng([torch.device(device)] if device.startswith("cuda") else []):
        for fold in folds:
            own = folder / fold.label
            outcomes.append(read_outcome(own) or _train(config, goal, fold, own, device))
    prediction_table(goal, folds, outcomes).to_csv(folder / files.PREDICTIONS, index=False, lineterminator="\n")
    failure_table(folds, outcomes).to_csv(folder / FAILURES, index=False, lineterminator="\n")
    _write_folds(folds, folder)
    files.write_json(files.environment({}, device), folder / files.ENVIRONMENT)
    seconds = round(time.monotonic() - started, 2)
    metrics = {"track": TRACK, "seconds": seconds, **metrics_of(config, goal, folds, outcomes)}
    files.write_json(metrics, folder / files.METRICS)

    from baseline.report import write_report  # its template engine and pictures, which nothing before needs

    write_report(folder)
    return folder


def _train(config: FineTuningConfig, goal: Goal, fold: Fold, folder: Path, device: str) -> Outcome:
    source = open_clips([fold.corpus], config.place, cache=config.cache, faces=config.faces)
    beginning = begin(config, len(goal.names))
    logger.info("%s", beginning.line)
    streams = tuple(config.streams or beginning.family.streams)
    unknown = set(streams) - set(beginning.family.streams)
    if unknown:
        raise UserError(f"The network has no stream '{min(unknown)}'. It has: {', '.join(beginning.family.streams)}.")
    spectrogram = getattr(beginning.size, "spectrogram", None)
    frames = spectrogram.frames if spectrogram is not None else 0
    maker = ExampleMaker(streams, beginning.size.shape.size, frames, config.pictures, config.augmentation)
    group = config.learning.batch_size * config.learning.accumulate
    learner = Learner(beginning.network.to(device), goal, config, -(-len(fold.train) // group), device)
    return FoldTraining(beginning, learner, fold, source, maker, folder).run()


def _basis(config: FineTuningConfig, goal: Goal, folds: list[Fold]) -> dict[str, str | None]:
    """Returns hashes of what may change while the settings stay: clips, labels and the checkpoint's content."""
    content = None
    if config.checkpoint is not None and config.checkpoint.is_file():  # it is said elsewhere that there is none
        with config.checkpoint.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return {"checkpoint": content, **{fold.label: fold.identity(goal) for fold in folds}}


def _other(folder: Path, config: FineTuningConfig, basis: dict[str, str | None]) -> str | None:
    """Returns what differs in the run that stands in a folder, in words."""
    path = folder / files.CONFIG
    if not path.exists():
        return None
    try:
        before = yaml.safe_load(path.read_text(encoding="utf-8"))
        stood = json.loads((folder / BASIS).read_text(encoding="utf-8")) if (folder / BASIS).exists() else None
    except (OSError, ValueError, yaml.YAMLError) as error:
        return f"settings that cannot be read ({error})"
    if not isinstance(before, dict) or _deciding(before) != _deciding(config.model_dump(mode="json")):
        return "other settings"
    return None if stood == basis else "other clips, labels or weights to begin with"


def _claim(config: FineTuningConfig, basis: dict[str, str | None], *, overwrite: bool) -> Path:
    """Returns the run directory, in which a run of the same settings, clips and weights to begin with may stand."""
    folder = config.out
    other = _other(folder, config, basis)
    if other is not None:
        if not overwrite:
            raise UserError(f"{folder} holds a run with {other}. Give this one another --out, or --overwrite.")
        for old in (*folder.glob("fold_*"), folder / "all"):
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    # The metrics say that a run is complete: they go first and come last.
    for name in (files.METRICS, files.FOLDS, files.PREDICTIONS, files.REPORT, FAILURES):
        (folder / name).unlink(missing_ok=True)
    files.write_json(basis, folder / BASIS)
    with whole_file(folder / files.CONFIG) as path:
        path.write_text(config.to_yaml(), encoding="utf-8")
    return folder


def _deciding(settings: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in settings.items() if key not in ELSEWHERE}


def _write_folds(folds: list[Fold], folder: Path) -> None:
    lines = ["name,fold", *(f"{name},{fold.number}" for fold in folds for name in fold.names(fold.test))]
    if folds[0].number is not None:
        (folder / files.FOLDS).write_text("\n".join(lines) + "\n", encoding="utf-8")

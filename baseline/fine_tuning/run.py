"""One fine-tuning, from its settings to its directory."""

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

logger = logging.getLogger(__name__)

TRACK, FAILURES = "finetune", "failures.csv"
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
    folder = _claim(config, overwrite=overwrite)
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


def _claim(config: FineTuningConfig, *, overwrite: bool) -> Path:
    """Returns the run directory, in which a run with the same settings may stand."""
    folder = config.out
    path = folder / files.CONFIG
    if path.exists():
        before = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(before, dict) or _deciding(before) != _deciding(config.model_dump(mode="json")):
            if not overwrite:
                raise UserError(
                    f"{folder} holds a run with other settings. Give this one another --out, or --overwrite."
                )
            for old in (*folder.glob("fold_*"), folder / "all"):
                shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    # The metrics say that a run is complete: they go first and come last.
    for name in (files.METRICS, files.FOLDS, files.PREDICTIONS, files.REPORT, FAILURES):
        (folder / name).unlink(missing_ok=True)
    path.write_text(config.to_yaml(), encoding="utf-8")
    return folder


def _deciding(settings: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in settings.items() if key not in ELSEWHERE}


def _write_folds(folds: list[Fold], folder: Path) -> None:
    lines = ["name,fold", *(f"{name},{fold.number}" for fold in folds for name in fold.names(fold.test))]
    if folds[0].number is not None:
        (folder / files.FOLDS).write_text("\n".join(lines) + "\n", encoding="utf-8")

"""One run, from its settings to its directory."""

import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from baseline import run_directory as files
from baseline.config import RunConfig, validated
from baseline.crossvalidation import CrossValidation, Recipe
from baseline.network_options import require_options
from baseline.protocol import make_folds, read_folds, shuffled_folds, write_folds
from baseline.reading import reading_of
from baseline.results import metrics_of, prediction_table
from baseline.study import Part, Study, load_part
from baseline.task import Task
from baseline.track import Track, tracks
from toolkit.corpus import Corpus, load_corpus
from toolkit.device import resolve_device
from toolkit.errors import UserError
from toolkit.models.network import build_network
from toolkit.submission import COLUMNS as SUBMISSION_COLUMNS
from toolkit.submission import test_splits, write_submission

logger = logging.getLogger(__name__)

TRAIN, VALIDATION = "train", "val"
FOLDS = 5
MOST_GROUPS = 10  # the sessions of a corpus are left out one by one, its videos are dealt out to the folds


def run(config: RunConfig, *, overwrite: bool = False) -> Path:
    """Trains, predicts, scores and reports; the same config gives the same predictions on the same machine.

    Args:
        config: the settings
        overwrite: whether a run with other settings may be replaced

    Returns:
        the run directory; ``metrics.json`` is written last but for the report

    Raises:
        UserError: settings, corpus or caches are not as they should be
    """
    started = time.monotonic()
    track = track_of(config)
    # As the track read them: paths made absolute, so that the config repeats the run from anywhere.
    options = track.settings.model_dump(mode="json", exclude_unset=True)
    config = config.model_copy(update={"options": options})
    study = open_study(config, track)
    config = config.model_copy(update={"level": study.reading.level, "compress": study.reading.compress})
    folder = files.claim(config, overwrite=overwrite)
    (folder / files.CONFIG).write_text(config.to_yaml(), encoding="utf-8")
    own = pd.Series(study.folds[: len(study.train)], index=pd.Index(study.train.table["name"]), name="fold")
    write_folds(own, folder / files.FOLDS)
    learned = track.learn(study)
    metrics = metrics_of(study, learned, compare=config.compare)
    _write_predictions(config, study, learned.final, folder)
    files.write_json(files.environment(study.sources, study.device), folder / files.ENVIRONMENT)
    seconds = round(time.monotonic() - started, 2)
    files.write_json({"track": config.track, "seconds": seconds, **metrics}, folder / files.METRICS)

    from baseline.report import write_report  # its template engine and pictures, which nothing before needs

    write_report(folder)
    return folder


def open_study(config: RunConfig, track: Track) -> Study:
    """Returns the data of a run.

    Raises:
        UserError: settings, corpus or caches are not as they should be
    """
    device = resolve_device(config.device)
    corpus = load_corpus(config.corpus)
    task = track.task(corpus, corpus.select(TRAIN), config.training.valence_weight)
    train = _labelled(corpus, task, device, own_split=_has_own_split(config, corpus))
    folds = _folds(config, track, train)
    reading = reading_of(config, corpus)
    sources = reading.open(config.cache, corpus, config.features)
    training = load_part(train, sources, reading, task, device).examples
    if not training.inputs.usable.any():
        raise UserError(f"None of the {len(train)} training clips of '{corpus.name}' has any of the features.")
    splits = track.test_splits(corpus) if config.test is None else config.test
    if TRAIN in splits:
        raise UserError(f"'{TRAIN}' is no test split: its clips were learnt from. predictions.csv has them, held out.")
    tests = {split: load_part(corpus.select(split), sources, reading, task, device) for split in splits}
    require_options(config.model, config.network)
    recipe = recipe_of(config, corpus, task, tests, folds)
    with torch.random.fork_rng([]):  # only to see that it can be built, before anything is written
        build_network(**recipe.network, inputs=training.inputs.dims, classes=task.outputs)
    seeds = tuple(range(config.seed, config.seed + config.seeds))
    return track.extend(
        Study(corpus, train, tests, training, folds, task, recipe, seeds, config.protocol, sources, reading, device)
    )


def track_of(config: RunConfig) -> Track:
    """Returns the track of a run with its options.

    Raises:
        UserError: it is unknown, or an option is
    """
    track = tracks.get(config.track)
    return track(validated(track.options, config.options, f"option of track '{config.track}'", "the settings"))


def _has_own_split(config: RunConfig, corpus: Corpus) -> bool:
    """Returns whether the corpus says itself which clips choose, and nothing was asked for in its place."""
    asked = config.folds is not None or config.folds_file is not None or config.group is not None
    return not asked and VALIDATION in corpus.splits


def _labelled(corpus: Corpus, task: Task, device: str, *, own_split: bool) -> Corpus:
    """Returns the training clips with something to learn from, and the validation clips where they are a split."""
    train = corpus.only(corpus.table["split"].isin([TRAIN, VALIDATION])) if own_split else corpus.select(TRAIN)
    known = task.known(task.targets(train, device)).cpu().numpy()
    if not known.any():
        raise UserError(
            f"None of the {len(train)} training clips of '{corpus.name}' has a label to learn from. Expected column "
            "'emotion', or 'openset' for track ov."
        )
    if not known.all():
        logger.warning("%d of %d training clips have no label and are left out.", int((~known).sum()), len(train))
    return train.only(pd.Series(known))


def _folds(config: RunConfig, track: Track, train: Corpus) -> np.ndarray:
    group = config.group or train.group
    if config.folds_file is not None:
        return read_folds(config.folds_file, train, group=group).to_numpy()
    if VALIDATION in train.splits:
        return np.where(train.table["split"] == VALIDATION, 0, -1)
    if config.protocol == "mertools" and group is None:
        return shuffled_folds(train, config.folds or FOLDS, seed=config.seed).to_numpy()
    folds = config.folds
    if folds is None:
        few = group is not None and train.table[group].nunique() <= MOST_GROUPS
        folds = 0 if few and config.group is None else FOLDS
    options = {"seed": config.seed, "group": group, "refuse_rare": track.refuse_rare}
    return make_folds(train, folds, **options).to_numpy()


def recipe_of(config: RunConfig, corpus: Corpus, task: Task, tests: dict[str, Part], folds: np.ndarray) -> Recipe:
    """Returns how the networks of a run are trained.

    Args:
        config: the settings
        corpus: all clips
        task: what is learnt
        tests: the clips of each split that is predicted
        folds: ``(clips,)`` fold numbers from 0

    Raises:
        UserError: the choice of the epoch does not go with protocol or folds
    """
    labelled = any(task.known(part.examples.targets).any() for part in tests.values())
    network = {"name": config.model, **config.network, **reading_of(config, corpus).told(config.model)}
    if config.protocol == "mertools":
        if config.select not in (None, "fold"):
            raise UserError(f"Got --protocol mertools with --select {config.select}. Theirs is --select fold.")
        as_theirs = {"patience": config.training.epochs, "normalise": False, "ties": "first"}
        training = config.training.model_copy(update=as_theirs)
        return Recipe(network, training, "fold", config.seed, corpus.valence, "logits")
    several = folds.max() > 1  # of two folds, one is held out and the other trains: none is left to choose on
    if config.select == "inner" and not several:
        raise UserError(
            f"Got {folds.max() + 1} folds with --select inner, which needs another one to choose on. Use --folds 3."
        )
    own = folds.max() == 0  # the corpus' own validation split is there to choose on
    select = config.select or ("fold" if labelled or own else "inner" if several else "last")
    return Recipe(network, config.training, select, config.seed, corpus.valence)


def _write_predictions(config: RunConfig, study: Study, final: CrossValidation, folder: Path) -> None:
    table = prediction_table(study, final)
    table.to_csv(folder / files.PREDICTIONS, index=False, lineterminator="\n")
    facts = {"track": config.track, "corpus": study.corpus.name, "sources": files.describe_sources(study.sources)}
    facts["reading"] = study.reading._asdict()
    replace(final.ensemble, facts=final.ensemble.facts | facts).save(folder / files.MODEL)
    if config.track not in SUBMISSION_COLUMNS:  # no challenge asks for one
        return
    covered = test_splits(config.track, study.corpus)
    if not covered or not set(covered) <= set(study.tests):
        logger.warning("No submission: corpus '%s' has no test split of track %s.", study.corpus.name, config.track)
        return
    predicted = table[table["split"].isin(covered)]
    write_submission(config.track, study.corpus, predicted, folder / files.SUBMISSION, covered)

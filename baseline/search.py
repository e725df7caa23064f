"""The search for good settings of a network: many trials, a ranking, what mattered, and the best as a run."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from baseline.basis import basis_of, decisive, open_labelled
from baseline.config import RunConfig
from baseline.fold_choice import Chosen, is_nested, train_choices
from baseline.run import run
from baseline.search_report import SearchReport
from baseline.search_space import configured
from baseline.study import Study
from baseline.trial import Trial, ranked
from baseline.trial_log import TrialLog
from baseline.trial_runs import SearchPlan, recipe_of_trial, run_trials
from toolkit.errors import UserError

logger = logging.getLogger(__name__)

TRIALS = "trials.jsonl"


def search(config: RunConfig, plan: SearchPlan, *, overwrite: bool = False) -> Path:
    """Searches, ranks, and trains the best settings as a run; goes on where an earlier search of the same was ended.

    Args:
        config: what is trained, with the settings that trials have in common
        plan: what they differ in, and how many there are
        overwrite: whether a search with other settings may be replaced

    Returns:
        the folder ``OUT/search/<track>/<name>``; the best run is ``OUT/<track>/<name>-best``

    Raises:
        UserError: settings, corpus or caches are not as they should be, or no trial can be used
    """
    study = open_labelled(config)
    folder = config.out / "search" / config.track / config.folder.name
    caches = {key: source.cache.identity for key, source in study.sources.items()}
    searched = {"space": plan.space.ranges, "sampler": plan.sampler, "caches": caches}
    log = TrialLog(folder / TRIALS, decisive(config) | searched, overwrite=overwrite)
    order = ranked(run_trials(study, config, plan, log))
    best = order[0]
    if not best.merits:
        raise UserError(f"None of {len(order)} trials can be used. The first: {best.note}.")
    chosen = _chosen(study, config, order)
    own = configured(config, best.settings).model_copy(update={"name": f"{config.folder.name}-best"})
    logger.info("The best is trained as a run, %s.", own.folder)
    SearchReport(basis_of(study), plan, order, chosen.scores, run(own, overwrite=True)).write(folder)
    return folder


def _chosen(study: Study, config: RunConfig, order: Sequence[Trial]) -> Chosen:
    """Returns what came of the choice: of the best trial, or of the best by fold where held-out folds are scored."""
    done = {trial.key: trial for trial in order if trial.merits}
    folds = range(len(order[0].by_fold))
    choices = [_best_by_fold(list(done.values()), fold) if is_nested(study) else order[0].key for fold in folds]
    return train_choices(
        study, choices, lambda key: replace(study, recipe=recipe_of_trial(study, config, done[key])).cross_validate()
    )


def _best_by_fold(order: Sequence[Trial], fold: int) -> str:
    return max(order, key=lambda trial: trial.by_fold[fold]).key  # the better one over all folds of equals

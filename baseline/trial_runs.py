"""The trials of a search: drawn, trained side by side, written down after every call."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from baseline.config import RunConfig
from baseline.crossvalidation import Recipe
from baseline.run import recipe_of
from baseline.sampler import make_sampler
from baseline.search_space import SearchSpace, configured
from baseline.study import Study
from baseline.trainer import hollow, shape_of, weight_bytes
from baseline.trial import DIVERGED, Trial, key_of, ranked
from baseline.trial_log import TrialLog
from toolkit.errors import UserError

logger = logging.getLogger(__name__)

TRIALS_PER_CALL = 10  # what a kill can cost, and what trains side by side
KEPT_BYTES = 1 << 30  # of all weights that a call gives back


class SearchPlan(NamedTuple):
    """How to search.

    Attributes:
        space: what trials are drawn from
        trials: how many are drawn
        sampler: of `baseline.sampler.SAMPLERS`
    """

    space: SearchSpace
    trials: int = 50
    sampler: str = "random"


class _Candidate(NamedTuple):
    """A trial that can be trained."""

    trial: Trial
    recipe: Recipe
    shape: str
    weight_bytes: int


def run_trials(study: Study, config: RunConfig, plan: SearchPlan, log: TrialLog) -> list[Trial]:
    """Returns the trials in the order of their draws, each combination once.

    Those that the log has are not trained again, unless one that trains beside them is missing: what trains together
    is the same whether a search was interrupted or not, and so are the results, to the last bit.

    Args:
        study: the data
        config: the settings that trials have in common
        plan: how to search
        log: of the same search
    """
    sampler = make_sampler(plan.sampler, plan.space.ranges, config.seed)
    trials: dict[str, Trial] = {}
    drawn, most = 0, min(plan.trials, plan.space.size)
    while drawn < plan.trials and (asked := sampler.ask(plan.trials - drawn)):
        fresh: dict[str, Trial] = {}
        for number, settings in enumerate(asked, start=drawn + 1):
            if key_of(settings) not in trials:  # samplers of Optuna may draw a combination again
                fresh.setdefault(key_of(settings), Trial(number, settings))
        drawn += len(asked)
        for done in _tried(study, config, list(fresh.values()), log):
            trials |= {trial.key: trial for trial in done}
            logger.info("%d of %d combinations: %s", len(trials), most, _progress(trials.values()))
        sampler.tell([trials[key_of(settings)].merit for settings in asked])
    return sorted(trials.values(), key=lambda trial: trial.number)


def _progress(trials: Iterable[Trial]) -> str:
    best = ranked(trials)[0]
    return f"the best so far has a merit of {best.merit:.4f} ({best.key})" if best.merits else "none can be used so far"


def recipe_of_trial(study: Study, config: RunConfig, trial: Trial) -> Recipe:
    """Returns how the networks of a trial are trained."""
    return recipe_of(configured(config, trial.settings), study.corpus, study.task, study.tests, study.folds)


def _tried(study: Study, config: RunConfig, trials: Sequence[Trial], log: TrialLog) -> Iterator[list[Trial]]:
    """Yields the trials with what came of them, those that were trained in one call together."""
    candidates: list[_Candidate] = []
    sizes: dict[str, int] = {}
    for trial in trials:
        recipe = recipe_of_trial(study, config, trial)
        shape = shape_of(recipe.network, recipe.training)
        try:
            if shape not in sizes:
                sizes[shape] = _weight_bytes(study, recipe)
            candidates.append(_Candidate(trial, recipe, shape, sizes[shape]))
        except UserError as error:  # a network too large for this machine, say; a larger one may try it
            logger.warning("Trial %d is left out: %s", trial.number, error)
            yield [trial._replace(note=f"left out: {error}")]
    for call in _calls(candidates, networks_per_trial=len(study.seeds) * (int(study.folds.max()) + 1)):
        missing = [one.trial for one in call if one.trial.key not in log.records]
        if missing:
            trained = {trial.key: trial for trial in _train(study, call)}
            log.append({trial.key: trained[trial.key].record() for trial in missing})
        yield [one.trial.with_record(log.records[one.trial.key]) for one in call]


def _calls(candidates: Sequence[_Candidate], networks_per_trial: int) -> Iterator[list[_Candidate]]:
    """Yields the trials that are trained in one call: of one shape, as many as memory and patience allow."""
    alike: dict[str, list[_Candidate]] = {}
    for one in candidates:
        alike.setdefault(one.shape, []).append(one)
    for same in alike.values():
        most = max(1, min(TRIALS_PER_CALL, KEPT_BYTES // (same[0].weight_bytes * networks_per_trial)))
        count = -(-len(same) // most)  # of calls, as even as can be
        for part in range(count):
            yield same[part * len(same) // count : (part + 1) * len(same) // count]


def _weight_bytes(study: Study, recipe: Recipe) -> int:
    """Returns the size of a network.

    Raises:
        UserError: it cannot be built
    """
    sizes = {"inputs": study.training.inputs.dims, "classes": study.task.outputs}
    return weight_bytes(hollow(recipe.network | sizes))


def _train(study: Study, call: Sequence[_Candidate]) -> Iterator[Trial]:
    merits = iter(study.merits([one.recipe._replace(seed=seed) for one in call for seed in study.seeds]))
    for one in call:
        by_seed = [next(merits) for _ in study.seeds]
        if None in by_seed:
            yield one.trial._replace(note=DIVERGED)
        else:
            yield one.trial._replace(merits=by_seed)

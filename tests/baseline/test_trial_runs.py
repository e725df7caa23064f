"""The trials of a search: what is trained for them, in which calls, and what is said meanwhile."""

import itertools

import pytest

from baseline.basis import open_labelled
from baseline.search_space import SearchSpace, configured
from baseline.trial import DIVERGED
from baseline.trial_log import TrialLog
from baseline.trial_runs import SearchPlan, run_trials
from toolkit.errors import UserError

RANGES = {"network.hidden": (4, 8), "training.learning_rate": (0.01, 0.001)}


@pytest.fixture
def start(quick, tmp_path):
    """Runs trials on the tiny corpus."""
    number = itertools.count()

    def begin(ranges=RANGES, trials=4, **given):
        config = quick(**given)
        plan, log = SearchPlan(SearchSpace("a test", dict(ranges)), trials), tmp_path / f"log{next(number)}.jsonl"
        return run_trials(open_labelled(config), config, plan, TrialLog(log, {}))

    return begin


@pytest.fixture
def jobs(monkeypatch):
    """All networks that are trained, call by call."""
    from baseline import syllabus

    real, calls = syllabus.fit_all, []

    def fit_all(jobs, task):
        calls.append(jobs)
        return real(jobs, task)

    monkeypatch.setattr(syllabus, "fit_all", fit_all)
    return calls


@pytest.mark.parametrize("select", ["inner", "fold"])
def test_one_network_per_trial_seed_and_fold(start, quick, jobs, select):
    """Where another fold chooses, nothing is trained anew with it; the merits are those of whole cross-validations."""
    trials = start(select=select, seeds=2)
    assert sum(map(len, jobs)) == 4 * 2 * 3
    assert all(job.lesson.held is not None for call in jobs for job in call)
    config = configured(quick(select=select, seeds=2), trials[1].settings)
    assert trials[1].merits == [list(one.merits) for one in open_labelled(config).cross_validate().seeds]
    assert (sum(map(len, jobs)) == 4 * 2 * 3 + 2 * 3 * 2) == (select == "inner"), "a run trains them anew"


@pytest.mark.parametrize("select", ["inner", "fold"])
def test_trial_that_ran_off(start, select):
    trials = start(ranges={"training.learning_rate": (1e30, 0.01)}, trials=2, select=select)
    notes = {trial.settings["training.learning_rate"]: trial.note for trial in trials}
    assert notes == {1e30: DIVERGED, 0.01: ""}


def test_a_call_is_of_one_shape_and_is_spoken_of(start, jobs, caplog, monkeypatch):
    monkeypatch.setattr("baseline.trial_runs.TRIALS_PER_CALL", 2)
    caplog.set_level("INFO")
    ranges = {"network.hidden": (4, 8), "network.dropout": (0.0, 0.1), "training.learning_rate": (0.01, 0.001)}
    trials = start(ranges=ranges, trials=50)
    assert [len({job.network["hidden"] for job in call}) for call in jobs if call] == [1] * 4
    said = [message for message in caplog.messages if "combinations" in message]
    assert [message.split(":")[0] for message in said] == [f"{count} of 8 combinations" for count in (2, 4, 6, 8)]
    best = max(trials, key=lambda trial: trial.merit)
    assert said[-1].endswith(f"the best so far has a merit of {best.merit:.4f} ({best.key})")


def test_size_is_measured_once_per_shape(start, monkeypatch):
    from baseline import trial_runs

    real, built = trial_runs.hollow, []

    def build(network):
        built.append(network["hidden"])
        return real(network)

    monkeypatch.setattr(trial_runs, "hollow", build)
    ranges = {"network.hidden": (4, 8), "network.dropout": (0.0, 0.1), "training.learning_rate": (0.01, 0.001)}
    start(ranges=ranges, trials=8)
    assert sorted(built) == [4, 8]


def test_nothing_can_be_used(start, caplog):
    caplog.set_level("INFO")
    start(ranges={"training.learning_rate": (1e30,)}, trials=1)
    assert caplog.messages[-1] == "1 of 1 combinations: none can be used so far"


def test_fold_on_which_nothing_chooses(start, tiny, make_cache, tmp_path):
    """No clip of fold 1 has a face: its networks cannot be compared, and a mean over the others would say nothing."""
    corpus, cache = tiny
    names = list(corpus.select("train").table["name"])
    make_cache(cache, corpus, "face", failed=names[12:24])
    lines = [f"{name},{place // 12}" for place, name in enumerate(names)]
    (tmp_path / "folds.csv").write_text("\n".join(["name,fold", *lines]) + "\n")
    with pytest.raises(UserError, match=r"Nothing chose the epoch of fold 1, .* has both a label and one of the feat"):
        start(features=["face"], folds_file=tmp_path / "folds.csv", folds=None)

"""The search: what it writes, what chooses, what is scored, and that a kill changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from baseline.basis import CHOSE, HELD_OUT, open_labelled
from baseline.search import TRIALS, search
from baseline.search_report import summary_lines
from baseline.search_space import SearchSpace, configured
from baseline.tallies import emotion_tallies
from baseline.trial_runs import SearchPlan
from toolkit.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
# Widths of multiples of 16, so that trials train as stacks.
RANGES = {"network.hidden": (16, 32), "network.dropout": (0.0, 0.3), "training.learning_rate": (0.01, 0.001)}


@pytest.fixture
def start(quick, monkeypatch):
    """Searches on the tiny corpus and returns the folder; the picture, which is slow, is drawn where asked for."""

    def begin(*, trials=4, ranges=RANGES, overwrite=False, picture=False, **given):
        plan = SearchPlan(SearchSpace("a test", dict(ranges)), trials)
        with monkeypatch.context() as patch:
            if not picture:
                patch.setattr("baseline.reporting.charts.importance_chart", lambda *_: None)
            return search(quick(**given), plan, overwrite=overwrite)

    return begin


def facts_of(folder):
    return json.loads((folder / "search.json").read_text())


def score_of(facts, part="value"):
    (score,) = facts["scores"].values()
    return score[part]


def ranking_of(folder):
    return pd.read_csv(folder / "ranking.csv", keep_default_na=False)


def records_of(folder):
    records = map(json.loads, (folder / TRIALS).read_text().splitlines()[1:])
    return {record["key"]: record for record in records}


def test_files(start, tmp_path):
    folder = start(seeds=2, picture=True)
    assert folder == tmp_path / "runs/search/multi/mlp-voice+face-seed0to1"
    names = ["importance.csv", "importance.svg", "ranking.csv", "ranking.md", "search.json", "trials.jsonl"]
    assert sorted(path.name for path in folder.iterdir()) == names
    table, facts = ranking_of(folder), facts_of(folder)
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["merit"].is_monotonic_decreasing
    best = table.iloc[0]
    record = records_of(folder)[" ".join(f"{key}={value}" for key, value in facts["best"]["settings"].items())]
    assert np.shape(record["merits"]) == (2, 3)
    assert best["merit"] == pytest.approx(np.mean(record["merits"]))
    assert best["over_seeds"] == pytest.approx(np.std(np.mean(record["merits"], axis=1), ddof=1))
    for name in ("ranking.md", "importance.svg"):
        text = (folder / name).read_text().replace("\n", " ")
        for word in ("honest", "tiny", "36 clips chose", "12 clips of test_multi"):
            assert word in text, (name, word)
    assert set(zip(table["protocol"], table["seeds"], strict=True)) == {("honest", "0 1")}
    assert set(zip(table["clips_chose"], table["clips_scored"], strict=True)) == {(36, 12)}
    picture = (folder / "importance.svg").read_text()
    assert "Right: mean merit by value." in " ".join(picture.split())
    assert "0.001:\N{NO-BREAK SPACE}" in picture, "a value and its merit stay on one line"
    assert str(tmp_path / "runs/multi/mlp-voice+face-seed0to1-best") == summary_lines(folder)[-1]


def test_best_trial_is_a_run_with_the_score_that_is_reported(start, quick, caplog):
    caplog.set_level("INFO")
    folder = start()
    facts = facts_of(folder)
    run = Path(facts["best"]["run"])
    assert f"The best is trained as a run, {run}." in caplog.messages
    config = yaml.safe_load((run / "config.yaml").read_text())
    expected = configured(quick(), facts["best"]["settings"])
    assert (config["network"], config["training"]["learning_rate"]) == (
        expected.network, expected.training.learning_rate,
    )  # fmt: skip
    metrics = json.loads((run / "metrics.json").read_text())
    assert np.mean([fold["merit"] for fold in metrics["folds"]]) == pytest.approx(facts["best"]["merit"], abs=1e-12)
    score = metrics["test"]["test_multi"]["scores"]["score"]
    assert score_of(facts) == pytest.approx(score, abs=1e-7)
    assert score_of(facts, "low") < score < score_of(facts, "high")


def test_test_labels_choose_nothing(start, tmp_path):
    """Every label of the test split is changed; ranking and predictions stay, the score does not."""
    folder = start(name="before")
    table = pd.read_csv(tmp_path / "tiny.csv")
    rows = table["split"] == "test_multi"
    turned = {"neutral": "happy", "happy": "angry", "angry": "neutral"}
    table.loc[rows, "emotion"] = table.loc[rows, "emotion"].map(turned)
    table.to_csv(tmp_path / "tiny.csv", index=False)
    after = start(name="after")
    assert records_of(folder) == records_of(after)
    assert facts_of(folder)["scores"] != facts_of(after)["scores"]


def test_trial_is_the_same_alone(start, quick):
    """What the ranking says of a trial is what a cross-validation of that trial alone gives, to the last bit."""
    folder = start()
    study = open_labelled(quick())
    for record in list(records_of(folder).values())[:2]:
        alone = open_labelled(configured(quick(), record["settings"]))
        result = alone.cross_validate_all([alone.recipe])[0]
        assert record["merits"] == [[fold.merit for fold in result.results]]
    assert study.recipe.select == "fold"


@pytest.mark.usefixtures("without_tests")
def test_without_test_clips_the_score_is_nested(start, quick):
    """Each fold is predicted by the trial that is best on its inner clips, which is put together by hand here."""
    folder = start(trials=6)
    facts, records = facts_of(folder), list(records_of(folder).values())
    assert facts["basis"]["scored"] == {HELD_OUT: 36}
    assert facts["basis"]["chose"] == 36
    merits = np.array([record["merits"][0] for record in records])  # (trials, folds)
    rows = []
    for fold, trial in enumerate(merits.argmax(axis=0)):
        study = open_labelled(configured(quick(), records[trial]["settings"]))
        held = np.flatnonzero(study.folds == fold)
        prediction = study.cross_validate().held_out.take(held)
        labels = np.array(study.task.labels)[prediction.probabilities.argmax(1)]
        rows.append(study.train.table.iloc[held].assign(guess=labels, guessed=prediction.valence))
    table = pd.concat(rows).rename(columns={"emotion": "true_emotion", "valence": "true_valence"})
    table = table.rename(columns={"guess": "emotion", "guessed": "valence"})
    expected = emotion_tallies(table, "WAF - 0.25 MSE")["score"].score
    assert score_of(facts) == pytest.approx(expected, abs=1e-6)
    assert "score of searching" in (folder / "ranking.md").read_text()


@pytest.mark.usefixtures("without_tests")
def test_labels_of_a_fold_do_not_choose_what_predicts_it(start, tmp_path):
    folder = start(name="before")
    run = Path(facts_of(folder)["best"]["run"])
    folds = pd.read_csv(run / "folds.csv")
    folds.to_csv(tmp_path / "folds.csv", index=False)
    table = pd.read_csv(tmp_path / "tiny.csv")
    rows = table["name"].isin(folds.loc[folds["fold"] == 0, "name"])
    turned = {"neutral": "happy", "happy": "angry", "angry": "neutral"}
    table.loc[rows, "emotion"] = table.loc[rows, "emotion"].map(turned)
    table.loc[rows, "valence"] *= -1
    table.to_csv(tmp_path / "tiny.csv", index=False)
    before, after = records_of(folder), records_of(start(name="after", folds_file=tmp_path / "folds.csv"))
    assert [r["merits"][0][0] for r in before.values()] == [r["merits"][0][0] for r in after.values()]
    assert [r["merits"][0][1] for r in before.values()] != [r["merits"][0][1] for r in after.values()]


@pytest.mark.usefixtures("without_tests")
def test_mertools_scores_what_chose_and_says_so(start):
    folder = start(protocol="mertools", trials=2, picture=True)
    facts = facts_of(folder)
    assert facts["basis"]["scored"] == {CHOSE: 36}
    metrics = json.loads((Path(facts["best"]["run"]) / "metrics.json").read_text())
    assert score_of(facts) == pytest.approx(metrics["out_of_fold"]["scores"]["score"], abs=1e-7)
    assert set(ranking_of(folder)["protocol"]) == {"mertools"}
    written = [(folder / name).read_text().replace("\n", " ") for name in ("ranking.md", "importance.svg")]
    for text in (*written, " ".join(summary_lines(folder))):
        assert "Protocol mertools" in text
        assert "the folds that chose are scored, so that scores are optimistic" in text


def test_diverged_trial_is_last_and_said(start):
    folder = start(ranges={"training.learning_rate": (1e30, 0.01, 0.001)}, trials=3)
    last = ranking_of(folder).iloc[-1]
    assert last["training.learning_rate"] == 1e30
    assert last["merit"] == ""
    assert last["note"].startswith("diverged")
    assert facts_of(folder)["draws"].endswith("; 1 failed.")


def test_network_that_cannot_be_built_is_left_out(start):
    folder = start(ranges={"network.hidden": (0, 16)}, trials=2)
    table = ranking_of(folder)
    assert table["network.hidden"].tolist() == [16, 0]
    assert "left out: Network 'mlp' cannot be built" in table["note"].iloc[1]
    with pytest.raises(UserError, match=r"None of 1 trials can be used. The first: left out: Network 'mlp' cannot"):
        start(ranges={"network.hidden": (0,)}, name="none")


def test_two_folds_choose_nothing(start, without_tests):
    with pytest.raises(UserError, match=r"Nothing chooses between networks .* Use --folds 3 or more"):
        start(folds=2)


def test_whole_space_is_said(start):
    folder = start(ranges={"network.hidden": (16, 32)}, trials=50)
    assert facts_of(folder)["draws"].startswith("2 combinations, all there are, drawn at random")


def test_longer_search_keeps_what_was_tried(start, monkeypatch):
    first = records_of(start(trials=3))
    trained = []
    monkeypatch.setattr("baseline.trial_runs._train", spy(trained, "baseline.trial_runs", "_train"))
    folder = start(trials=5)
    after = records_of(folder)
    assert len(after) == 5
    assert {key: after[key] for key in first} == first
    assert start(trials=5) == folder
    before = len(trained)
    assert start(trials=2) == folder
    assert len(trained) == before, "trials that are in the log were trained again"
    assert len(ranking_of(folder)) == 2


def spy(calls, module, name):
    real = getattr(sys.modules[module], name)

    def call(*arguments):
        calls.append(arguments)
        return real(*arguments)

    return call


def test_other_settings_are_refused(start):
    start(trials=1, name="mine")
    with pytest.raises(UserError, match=r"multi/mine was begun with other settings: 'training.epochs' was 5"):
        start(trials=1, name="mine", training={"epochs": 6})
    with pytest.raises(UserError, match=r"'space.network.hidden' was \[16, 32\] and is now null"):
        start(trials=1, name="mine", ranges={"network.dropout": (0.0, 0.3)})
    folder = start(trials=1, name="mine", training={"epochs": 6}, overwrite=True)
    assert len(records_of(folder)) == 1


def test_changed_labels_are_refused(start, tmp_path):
    start(trials=1)
    table = pd.read_csv(tmp_path / "tiny.csv")
    table.loc[0, "emotion"] = "happy" if table.loc[0, "emotion"] != "happy" else "angry"
    table.to_csv(tmp_path / "tiny.csv", index=False)
    with pytest.raises(UserError, match="'labels and folds of the corpus' was"):
        start(trials=1)


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch._dynamo  # whatever takes long to import, once for all that are forked
import baseline.report, baseline.reporting.charts, baseline.trial_runs
from baseline.config import load_config
from baseline.search import search
from baseline.search_space import SearchSpace
from baseline.trial_runs import SearchPlan

baseline.report.write_report = lambda folder: folder
baseline.trial_runs.TRIALS_PER_CALL = 1  # many places to be killed at
facts, ranges, out = eval(sys.argv[1])
plan = SearchPlan(SearchSpace("a test", ranges), 6)

def begin(folder):
    child = os.fork()
    if not child:
        search(load_config(None, facts | {"out": folder}), plan)
        os._exit(0)
    return child

def lines(folder):
    found = [path.read_bytes().count(b"\\n") for path in Path(folder).rglob("trials.jsonl")]
    return found[0] - 1 if found else 0

started = time.monotonic()
assert os.waitpid(begin(out + "/whole"), 0)[1] == 0
whole = time.monotonic() - started
reached = []
for trials in (0, 1, 3, 6):  # some moment after so many; the last is while the best is trained as a run
    child = begin(out + "/killed")
    while lines(out + "/killed") < trials:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.15) * whole)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reached.append(lines(out + "/killed"))
assert os.waitpid(begin(out + "/killed"), 0)[1] == 0
print([*reached, lines(out + "/killed"), lines(out + "/whole")])
"""


def test_killed_search_ends_with_the_same_ranking(quick, tmp_path):
    """Killed four times at random moments by SIGKILL, in an interpreter of its own, which nothing else runs in."""
    facts = quick().model_dump(mode="json", exclude={"out"})
    command = [sys.executable, "-c", KILLED, repr((facts, RANGES, str(tmp_path)))]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    options = {"capture_output": True, "text": True, "check": False, "timeout": 200}
    done = subprocess.run(command, cwd=ROOT, env=environment, **options)
    assert done.returncode == 0, done.stderr[-2000:]
    *reached, killed, whole = json.loads(done.stdout)
    assert (killed, whole) == (6, 6)
    assert any(0 < trials < 6 for trials in reached), reached
    folders = [next((tmp_path / name / "search/multi").iterdir()) for name in ("whole", "killed")]
    for name in ("ranking.csv", "importance.csv", "importance.svg"):
        one, other = ((folder / name).read_bytes() for folder in folders)
        assert one == other, name
    assert records_of(folders[0]) == records_of(folders[1])
    runs = [next((tmp_path / name / "multi").iterdir()) for name in ("whole", "killed")]
    assert (runs[0] / "predictions.csv").read_bytes() == (runs[1] / "predictions.csv").read_bytes()

"""The headline and the tables of scores."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from baseline.reporting.evidence import Guess, guess_most_frequent
from baseline.reporting.main_score import main_key, main_split
from baseline.reporting.pictures import fold_picture
from baseline.reporting.run_files import RunFiles
from baseline.reporting.terms import Score, score_of


class Fact(NamedTuple):
    """One number beside the headline."""

    title: str
    value: float
    spread: float | None
    note: str


class Headline(NamedTuple):
    """What the run got, in one number.

    Attributes:
        score: which score it is
        value: of the averaged networks on the test split, or the mean over folds where there is none
        where: split and number of clips
        facts: other numbers of the same split, and validation
        guess: what always answering the most frequent class would get there
    """

    score: Score
    value: float
    where: str
    facts: list[Fact]
    guess: Guess | None


class Row(NamedTuple):
    """A row of the score table; values and spreads stand in the order of the columns, ``None`` where not known."""

    label: str
    kind: str
    clips: int | None
    epoch: int | None
    values: list[float | None]
    spreads: list[float | None]


class ScoreTable(NamedTuple):
    """All scores per fold and split."""

    columns: list[Score]
    rows: list[Row]
    picture: str


def headline(run: RunFiles) -> Headline | None:
    """Returns the headline, ``None`` where the metrics hold no score at all."""
    split = main_split(run.metrics)
    return _of_test(run, split) if split else _of_folds(run)


def _of_test(run: RunFiles, split: str) -> Headline:
    metrics, name = run.metrics, str(run.metrics.get("score_name", "score"))
    entry, validation = metrics["test"][split], metrics.get("validation", {})
    key, where = main_key(entry["scores"]), split
    clips = f"{where}, {entry.get('clips', '?')} clips{_interval(entry) if key == 'score' else ''}"
    facts = [
        Fact(score_of(other, name).title, value, None, where) for other, value in _others(metrics, entry["scores"])
    ]
    if key in validation:
        mean, spread = validation[key]["mean"], validation[key].get("std")
        facts.insert(0, Fact("Validation", mean, spread, _of_which(metrics)))
    facts += _over_seeds(metrics, split, key)
    guess = guess_most_frequent(*_confusion(entry))
    return Headline(score_of(key, name), entry["scores"][key], clips, facts, guess)


def _of_folds(run: RunFiles) -> Headline | None:
    metrics, name = run.metrics, str(run.metrics.get("score_name", "score"))
    validation, pooled = metrics.get("validation", {}), metrics.get("out_of_fold", {})
    key = main_key(validation)
    if key is None:
        return None
    note = _of_which(metrics)
    others = _others(metrics, validation)
    facts = [Fact(score_of(other, name).title, entry["mean"], entry.get("std"), note) for other, entry in others]
    facts += [
        Fact(
            f"{score_of(other, name).title}, pooled",
            value,
            None,
            f"all {pooled['clips']} held-out clips together{_interval(pooled) if other == 'score' else ''}",
        )
        for other, value in pooled.get("scores", {}).items()
        if other in (key, "accuracy")
    ]
    facts += _over_seeds(metrics, "validation", key)
    value, guess = validation[key]["mean"], guess_most_frequent(*_confusion(pooled))
    return Headline(score_of(key, name), value, f"the validation folds, {note}", facts, guess)


def _interval(entry: Mapping[str, Any]) -> str:
    """Returns the bootstrap interval of the track's own score in words, nothing where the run kept none."""
    return ", 95 % interval {:.4f} to {:.4f}".format(*entry["interval"]) if "interval" in entry else ""


def _over_seeds(metrics: Mapping[str, Any], place: str, key: str | None) -> list[Fact]:
    """Returns mean and deviation of a score over the seeds, nothing of a single seed."""
    seeds = metrics.get("seeds", {})
    entry = seeds.get(place, {}).get(key)
    if not entry:
        return []
    note = f"mean ± std of {len(seeds['seeds'])} seeds, each alone"
    return [Fact("Over seeds", entry["mean"], entry.get("std"), note)]


def _of_which(metrics: Mapping[str, Any]) -> str:
    count = len(metrics.get("folds", []))
    return f"mean ± std of {count} folds" if count > 1 else "one fold"


def _others(metrics: Mapping[str, Any], scores: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Returns the scores beside the main one, without those that say the same."""
    left_out = {main_key(scores), "weighted_f1" if _is_weighted_f1(metrics) else None}
    return [(key, value) for key, value in scores.items() if key not in left_out]


def _confusion(entry: Mapping[str, Any]) -> tuple[list[str], list[list[int]]]:
    confusion = entry.get("confusion", {})
    return confusion.get("labels", []), confusion.get("matrix", [])


def score_table(run: RunFiles) -> ScoreTable | None:
    """Returns scores per fold, their mean and deviation, and scores per test split, ``None`` where there are none."""
    metrics, name = run.metrics, str(run.metrics.get("score_name", "score"))
    folds, validation = metrics.get("folds", []), metrics.get("validation", {})
    tests = {split: entry for split, entry in metrics.get("test", {}).items() if entry.get("scores")}
    found = [*validation, *(key for entry in [*folds, *tests.values()] for key in entry.get("scores", {}))]
    keys = sorted(dict.fromkeys(found), key=lambda key: key != "score")
    if _is_weighted_f1(metrics):
        keys.remove("weighted_f1")
    if not keys:
        return None
    rows = [_row(f"fold {entry['fold']}", "fold", entry, entry.get("scores", {}), keys) for entry in folds]
    if validation:
        means = {key: entry.get("mean") for key, entry in validation.items()}
        spreads = {key: entry.get("std") for key, entry in validation.items()}
        rows.append(_row("mean of the folds", "mean", {}, means, keys, spreads))
    pooled = metrics.get("out_of_fold", {})
    if pooled.get("scores"):
        rows.append(_row("held-out clips, pooled", "mean", pooled, pooled["scores"], keys))
    rows += [_row(split, "test", entry, entry["scores"], keys) for split, entry in tests.items()]
    for split, entry in metrics.get("clean_trained", {}).get("test", {}).items():
        if entry.get("scores"):
            rows.append(_row(f"{split}, trained clean", "other", entry, entry["scores"], keys))
    key = keys[0]
    points = [entry["scores"][key] for entry in folds if key in entry.get("scores", {})]
    marks = {split: entry["scores"][key] for split, entry in tests.items() if key in entry["scores"]}
    picture = fold_picture(points, marks, score_of(key, name).title) if points or marks else ""
    return ScoreTable([score_of(key, name) for key in keys], rows, picture)


def _is_weighted_f1(metrics: Mapping[str, Any]) -> bool:
    """Whether the track's own score is weighted F1 itself, so that a column of each would say the same twice."""
    entries = [*metrics.get("folds", []), *metrics.get("test", {}).values()]
    scores = [entry["scores"] for entry in entries if "weighted_f1" in entry.get("scores", {})]
    return bool(scores) and all(entry.get("score") == entry["weighted_f1"] for entry in scores)


def _row(
    label: str,
    kind: str,
    entry: Mapping[str, Any],
    scores: Mapping[str, float | None],
    keys: Sequence[str],
    spreads: Mapping[str, float | None] | None = None,
) -> Row:
    spread = [(spreads or {}).get(key) for key in keys]
    return Row(label, kind, entry.get("clips"), entry.get("epoch"), [scores.get(key) for key in keys], spread)

"""The headline and the tables of scores."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from baseline.reporting.evidence import Guess, guess_most_frequent
from baseline.reporting.pictures import fold_picture
from baseline.reporting.run_files import RunFiles
from baseline.reporting.terms import Score, plain, score_of


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


def main_split(metrics: Mapping[str, Any]) -> str | None:
    """Returns the test split that the track is judged by: its own where scored, else the first that has scores."""
    tests = {name: entry for name, entry in metrics.get("test", {}).items() if entry.get("scores")}
    own = f"test_{metrics.get('track')}"
    return own if own in tests else next(iter(tests), None)


def headline(run: RunFiles) -> Headline | None:
    """Returns the headline, ``None`` where the metrics hold no score at all."""
    metrics, name = run.metrics, str(run.metrics.get("score_name", "score"))
    split, validation = main_split(metrics), metrics.get("validation", {})
    entry = metrics["test"][split] if split else {}
    scores = entry.get("scores", {})
    key = main_key(scores or validation)
    if key is None:
        return None
    value = scores[key] if split else validation[key]["mean"]
    where = f"{plain(split)}, {entry.get('clips', '?')} clips" if split else "mean of the validation folds"
    others = [other for other in scores if other not in (key, "weighted_f1" if _is_weighted_f1(metrics) else None)]
    facts = [Fact(score_of(other, name).title, scores[other], None, plain(split)) for other in others]
    if key in validation and split:
        count = len(metrics.get("folds", []))
        spread = validation[key].get("std")
        facts.insert(0, Fact("Validation", validation[key]["mean"], spread, f"mean ± std of {count} folds"))
    confusion = entry.get("confusion", {})
    guess = guess_most_frequent(confusion.get("labels", []), confusion.get("matrix", []))
    return Headline(score_of(key, name), value, where, facts, guess)


def main_key(scores: Mapping[str, Any]) -> str | None:
    """Returns the score that a run is judged by: the track's own, or weighted F1, or whichever is there."""
    return next((key for key in ("score", "weighted_f1", *scores) if key in scores), None)


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
    rows += [_row(plain(split), "test", entry, entry["scores"], keys) for split, entry in tests.items()]
    key = keys[0]
    points = [entry["scores"][key] for entry in folds if key in entry.get("scores", {})]
    marks = {plain(split): entry["scores"][key] for split, entry in tests.items() if key in entry["scores"]}
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

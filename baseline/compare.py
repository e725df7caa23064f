"""Two finished runs on the same clips: is one better, and how sure is that?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from baseline.reporting.run_files import RunFiles, read_run
from baseline.table_file import plain_lines, write_csv, write_markdown
from baseline.tallies import emotion_tallies, sentiment_tallies, word_tallies
from toolkit.console import say
from toolkit.errors import UserError
from toolkit.metrics.paired import Comparison, compare_clips, compare_runs
from toolkit.metrics.tally import Tally
from toolkit.metrics.wheel import load_wheels

TRUTHS = ["true_emotion", "true_valence", "true_openset"]
VALIDATION = "validation"  # what the seeds' scores of held-out clips stand under
COLUMNS = ("split", "over", "number", "score", "A", "B", "difference", "low", "high", "p_value")
SHOWN = 3  # clips that a message names
NOTES = (
    "Difference: A less B; mse and mae are better where they are lower. Over clips: 95 % interval of the paired "
    "bootstrap, p-value of the randomisation test. Over seeds: Student's 95 % interval, p-value of the sign-flip test, "
    "which five seeds cannot bring below 2/32. Each score is tested by itself: of twenty, one is below 0.05 by chance. "
    "Scores of held-out clips that chose the epoch on their own fold are optimistic on both sides."
)


class Row(NamedTuple):
    """One score of both runs.

    Attributes:
        split: of the clips
        over: ``clips`` or ``seeds``, what the test asks about
        number: of these
        score: its name
        first: of the first run
        second: of the second run
        comparison: of both
    """

    split: str
    over: str
    number: int
    score: str
    first: float
    second: float
    comparison: Comparison


def compare(first: Path, second: Path) -> list[Row]:
    """Compares every score that two runs have in common, split by split.

    Args:
        first: run directory
        second: run directory

    Raises:
        UserError: one is no finished run, they are not of the same clips, or have no score in common
    """
    runs = [read_run(folder) for folder in (first, second)]
    tables = [_labelled(run) for run in runs]
    _require_same_clips(runs, tables)
    rows = [row for split in dict.fromkeys(tables[0]["split"]) for row in _of_split(runs, tables, split)]
    if not rows:
        raise UserError(f"{first} and {second} have no score in common: one is of track {runs[0].track}.")
    return rows


def facts_of(folder: Path) -> str:
    """Returns what a run's scores rest on, in words."""
    run = read_run(folder)
    config, metrics = run.config, run.metrics
    first, count = config.get("seed", 0), config.get("seeds", 1)
    seeds = f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"
    chose = int(_labelled(run)["fold"].notna().sum())
    return (
        f"{folder}: score is {metrics.get('score_name', 'not known')}, protocol {metrics.get('protocol', 'honest')}, "
        f"corpus {config.get('corpus', 'not known')}, {seeds}, {chose} held-out clips chose "
        f"({metrics.get('selection', 'not known')})"
    )


def table_of(rows: list[Row]) -> pd.DataFrame:
    """Returns one row per score."""
    return pd.DataFrame([[*row[:-1], *row.comparison] for row in rows], columns=list(COLUMNS))


def show(first: Path, second: Path, out: Path | None) -> None:
    """Compares two runs for the terminal, and writes the table where that is asked for.

    Args:
        first: run directory
        second: run directory
        out: file to write too, ``.csv`` or ``.md``

    Raises:
        UserError: as of `compare`, or the file is to be of another kind
    """
    if out is not None and out.suffix not in (".csv", ".md"):
        raise UserError(f"A comparison cannot be written to {out}. Expected a name ending with .csv or .md.")
    table = table_of(compare(first, second))
    facts = [f"A: {facts_of(first)}", f"B: {facts_of(second)}"]
    if out is not None and out.suffix == ".csv":
        write_csv(table.assign(run_A=facts[0], run_B=facts[1]), out)
    elif out is not None:
        write_markdown("Two runs", [*facts, NOTES], table, out)
    for line in [*plain_lines(table), *facts, NOTES]:
        say(line)


def _labelled(run: RunFiles) -> pd.DataFrame:
    table = run.predictions
    return table[table[TRUTHS].notna().any(axis=1)].sort_values("name", ignore_index=True)


def _require_same_clips(runs: list[RunFiles], tables: list[pd.DataFrame]) -> None:
    names = [set(table["name"]) for table in tables]
    alone = [sorted(names[0] - names[1]), sorted(names[1] - names[0])]
    if any(alone):
        parts = [
            f"{len(own)} are in {run.folder} alone ({', '.join(own[:SHOWN])}{' ...' if len(own) > SHOWN else ''})"
            for run, own in zip(runs, alone, strict=True)
            if own
        ]
        raise UserError(f"The runs are not of the same labelled clips: {' and '.join(parts)}. Predict the same splits.")
    for column in ["split", *TRUTHS]:
        one, other = (table[column].map(str) for table in tables)
        if (one != other).any():
            place = int((one != other).argmax())
            name = tables[0]["name"][place]
            raise UserError(
                f"Clip '{name}' has the {column.replace('_', ' ')} {one[place]} in {runs[0].folder} and {other[place]} "
                f"in {runs[1].folder}. Expected runs on one corpus."
            )


def _of_split(runs: list[RunFiles], tables: list[pd.DataFrame], split: str) -> Iterator[Row]:
    one, other = (_tallies(run, table[table["split"] == split]) for run, table in zip(runs, tables, strict=True))
    same = runs[0].metrics.get("score_name") == runs[1].metrics.get("score_name")
    for name in [name for name in one if name in other and (same or name != "score")]:
        found = compare_clips(one[name], other[name])
        yield Row(split, "clips", len(one[name].terms), name, one[name].score, other[name].score, found)
    yield from _over_seeds(runs, split, same=same)


def _over_seeds(runs: list[RunFiles], split: str, *, same: bool) -> Iterator[Row]:
    """Yields the comparisons over seeds, where both runs have several and the same number of them."""
    held_out = runs[0].predictions.loc[runs[0].predictions["split"] == split, "fold"].notna().any()
    key = VALIDATION if held_out else split
    each: list[list[dict[str, float]]] = [run.metrics.get("seeds", {}).get("each", {}).get(key, []) for run in runs]
    if not each[0] or len(each[0]) != len(each[1]):
        return
    for name in each[0][0]:
        if all(name in scores for scores in [*each[0], *each[1]]) and (same or name != "score"):
            one, other = ([scores[name] for scores in run] for run in each)
            means = (sum(numbers) / len(numbers) for numbers in (one, other))
            yield Row(split, "seeds", len(one), name, *means, compare_runs(one, other))


def _tallies(run: RunFiles, rows: pd.DataFrame) -> dict[str, Tally]:
    scores: dict[str, Any] = run.metrics.get("out_of_fold", {}).get("scores", {})
    name = str(run.metrics.get("score_name", "score"))
    options = run.config.get("options") or {}
    if run.track == "sentiment":
        return sentiment_tallies(rows, sims="accuracy_7" not in scores)
    if run.track == "ov":
        groups = options.get("groups")
        known = None if groups is None else json.loads(Path(groups).read_text(encoding="utf-8"))
        wheel = options.get("wheel")
        return word_tallies(rows, name, load_wheels(None if wheel is None else Path(wheel)), known)
    return emotion_tallies(rows, name)

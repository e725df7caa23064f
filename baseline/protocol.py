"""Folds as data: made from a seed, balanced by class, never splitting a group, kept in a CSV."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.corpus import Corpus
from toolkit.errors import UserError, did_you_mean

logger = logging.getLogger(__name__)

UNLABELLED = "(none)"  # the class of a clip that trains without an emotion label, with its valence or its words


def make_folds(
    corpus: Corpus, folds: int, *, seed: int, group: str | None = None, refuse_rare: bool = True
) -> pd.Series:
    """Returns the fold of every clip of a corpus, balanced by class.

    Without a group, the clips of each class are shuffled and dealt out one fold after the other, so that the counts of
    a class differ by one clip at most. With a group, whole groups are dealt out, the largest first, each to the fold
    where the class counts stay most even; ``folds`` equal to the number of groups leaves one group out per fold.

    Args:
        corpus: the training clips
        folds: number of folds, 2 or more; 0 for one fold per group
        seed: of the shuffling
        group: column whose values are never split over folds (speaker, session, video ...)
        refuse_rare: whether a class with fewer clips than folds is an error; it is only a warning with a group

    Returns:
        ``(clips,)`` integers from 0, indexed by clip name

    Raises:
        UserError: fewer clips than folds, a class with fewer clips than folds, or something wrong with the group
    """
    names, classes = list(corpus.table["name"]), _classes(corpus)
    groups = None if group is None else _groups(corpus, group)
    if groups is not None:
        folds = folds or len(set(groups))
    _check_counts(len(names), folds, "training clips")
    if groups is not None:
        _check_counts(len(set(groups)), folds, f"values of '{group}'")
    _check_classes(classes, folds, refuse=refuse_rare and groups is None)
    generator = np.random.default_rng(seed)
    numbers = _deal(classes, folds, generator) if groups is None else _deal_groups(classes, groups, folds, generator)
    return pd.Series(numbers, index=pd.Index(names, name="name"), name="fold")


def shuffled_folds(corpus: Corpus, folds: int, *, seed: int) -> pd.Series:
    """Returns folds as MERTools makes them: shuffled clips in equal stretches, the remainder in the last.

    Neither classes nor groups are looked at (``main-release.py``); theirs differ in every run, ours by the seed.

    Args:
        corpus: the training clips
        folds: number of folds, 2 or more
        seed: of the shuffling

    Raises:
        UserError: fewer clips than folds
    """
    names = list(corpus.table["name"])
    _check_counts(len(names), folds, "training clips")
    order = np.random.default_rng(seed).permutation(len(names))
    numbers = np.empty(len(names), int)
    numbers[order] = np.minimum(np.arange(len(names)) // (len(names) // folds), folds - 1)
    return pd.Series(numbers, index=pd.Index(names, name="name"), name="fold")


def write_folds(folds: pd.Series, path: Path) -> None:
    """Writes ``name,fold``, one line per clip."""
    folds.to_csv(path, lineterminator="\n")


def read_folds(path: Path, corpus: Corpus, *, group: str | None = None) -> pd.Series:
    """Returns folds given by the user, in the order of the corpus.

    Args:
        path: CSV with the columns ``name`` and ``fold``
        corpus: the training clips; every one of them needs a fold
        group: column whose values must not be split over folds

    Raises:
        UserError: the message names the file and the first wrong row
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as folds ({error}). Expected a CSV with the columns name,fold."
        ) from None
    if not {"name", "fold"} <= set(table):
        raise UserError(f"{path} has the columns {', '.join(table)}. Expected name,fold.")
    _check_rows(path, table, corpus)
    folds = table.set_index("name")["fold"].astype(int).loc[list(corpus.table["name"])]
    numbers = sorted(set(folds))
    if numbers != list(range(len(numbers))) or len(numbers) < 2:
        raise UserError(f"{path} has the folds {numbers}. Expected 0, 1 and so on, two or more.")
    if group is not None:
        for value, used in folds.groupby(np.array(_groups(corpus, group))).unique().items():
            if len(used) > 1:
                raise UserError(
                    f"{path} puts the {group} '{value}' into the folds {sorted(map(int, used))}. Expected one of them."
                )
    return folds


def _check_rows(path: Path, table: pd.DataFrame, corpus: Corpus) -> None:
    wanted, seen = set(corpus.table["name"]), set()
    for row, (name, fold) in enumerate(zip(table["name"], table["fold"], strict=True), start=2):
        if name not in wanted:
            raise UserError(f"{path}, row {row}: '{name}' is no training clip of corpus '{corpus.name}'.")
        if name in seen:
            raise UserError(f"{path}, row {row}: '{name}' is there twice. Expected one fold per clip.")
        if not fold.isdecimal():
            raise UserError(f"{path}, row {row}: the fold of '{name}' is '{fold}'. Expected 0, 1 and so on.")
        seen.add(name)
    if wanted - seen:
        raise UserError(f"{path} has no fold for {len(wanted - seen)} training clips, such as '{min(wanted - seen)}'.")


def _classes(corpus: Corpus) -> list[str]:
    return [UNLABELLED if pd.isna(emotion) else str(emotion) for emotion in corpus.table["emotion"]]


def _groups(corpus: Corpus, column: str) -> list[str]:
    if column not in corpus.table:
        raise UserError(
            f"Corpus '{corpus.name}' has no column '{column}'. {did_you_mean(column, corpus.table.columns)}"
        )
    cells = corpus.table[column]
    if cells.isna().any():
        name = corpus.table["name"][cells.isna()].iloc[0]
        raise UserError(
            f"Corpus '{corpus.name}': {int(cells.isna().sum())} training clips have no {column}, such as '{name}'. "
            "Every clip needs one to be kept on one side of a fold."
        )
    return [str(cell) for cell in cells]


def _check_counts(count: int, folds: int, what: str) -> None:
    if folds < 2:
        raise UserError(
            f"Got {folds} folds. Expected 2 or more" + (", or --group with --folds 0." if not folds else ".")
        )
    if count < folds:
        remedy = f"use --folds {count}" if count > 1 else "nothing can be held out of a single one, so add some"
        raise UserError(f"Number of {what}: {count}, fewer than the {folds} folds. Every fold needs one: {remedy}.")


def _check_classes(classes: Sequence[str], folds: int, *, refuse: bool) -> None:
    rare = sorted((count, name) for name, count in Counter(classes).items() if count < folds and name != UNLABELLED)
    if rare and not refuse:
        words = ", ".join(f"{name} ({count})" for count, name in rare)
        logger.warning("Some folds will hold no clip of these classes, which have fewer clips than folds: %s.", words)
    elif rare:
        count, name = rare[0]
        remedy = f"use --folds {count}, or " if count > 1 else ""
        raise UserError(
            f"The class '{name}' has {count} training clip{'s' if count > 1 else ''}, fewer than the {folds} folds: "
            f"{remedy}add clips of the class, or leave it out of the corpus."
        )


def _deal(classes: Sequence[str], folds: int, generator: np.random.Generator) -> np.ndarray:
    numbers = np.empty(len(classes), int)
    start = 0  # where the class before stopped, so that the sizes of whole folds stay even too
    for name in sorted(set(classes)):
        rows = generator.permutation([row for row, other in enumerate(classes) if other == name])
        numbers[rows] = (start + np.arange(len(rows))) % folds
        start += len(rows)
    return numbers


def _deal_groups(
    classes: Sequence[str], groups: Sequence[str], folds: int, generator: np.random.Generator
) -> np.ndarray:
    counts = pd.crosstab(np.array(groups), np.array(classes))  # (groups, classes)
    order = generator.permutation(len(counts))  # ties are broken by chance, not by the alphabet
    order = order[np.argsort(-counts.to_numpy().sum(1)[order], kind="stable")]
    share = counts.to_numpy() / counts.to_numpy().sum(0)
    held = np.zeros((folds, counts.shape[1]))
    number_of = {}
    for position, row in enumerate(order):
        spread = ((held + share[row]) ** 2).sum(1) - (held**2).sum(1)  # what the sum of squares grows by
        empty = np.flatnonzero(held.sum(1) == 0)
        allowed = empty if len(empty) >= len(order) - position else np.arange(folds)  # no fold stays empty
        fold = int(allowed[np.argmin(spread[allowed])])
        held[fold] += share[row]
        number_of[counts.index[row]] = fold
    return np.array([number_of[name] for name in groups])

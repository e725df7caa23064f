"""Scores of a prediction file against a label file, by the rules of a track."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.csv_table import bad_row, number_of, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.labels import MER_EMOTIONS, NO_VALENCE, OTHER_EMOTIONS, is_missing, normalise_emotion
from toolkit.metrics.classification import accuracy, weighted_f1
from toolkit.metrics.combined import emotion_valence_score
from toolkit.metrics.open_vocabulary import parse_words, require_same_clips, set_scores
from toolkit.metrics.regression import mean_squared_error
from toolkit.metrics.wheel import load_wheels, wheel_scores
from toolkit.submission import COLUMNS

logger = logging.getLogger(__name__)

TRACKS = tuple(COLUMNS)
_KNOWN = ("name", "discrete", "emotion", "valence", "openset")


def score_files(
    track: str,
    truth: Path,
    prediction: Path,
    *,
    groups: Path | None = None,
    wheel: Path | None = None,
    splits: Sequence[str] | None = None,
) -> dict[str, float]:
    """Returns the scores of a prediction file.

    MULTI: weighted F1, accuracy, mean squared error of valence and ``WAF - 0.25 MSE``. NOISE and SEMI: weighted F1 and
    accuracy. OV: set-level accuracy, recall and score, with synonym groups if given, and the emotion-wheel F
    (left out where no true word is on the built-in wheel and no other is given).
    Predicted emotions must be known ones, unless the truth itself has classes of its own.

    Args:
        track: ``multi``, ``noise``, ``semi`` or ``ov``
        truth: CSV with ``name`` and ``discrete`` (or ``emotion``), ``valence``, ``openset``; clips without a label are
            not scored
        prediction: CSV of the same columns; for SEMI it may hold further clips, as the organisers allow
        groups: JSON of synonym groups per clip, OV only
        wheel: JSON of emotion wheels, OV only; the built-in wheel if absent
        splits: values of the truth's column ``split`` that are scored, all clips if absent

    Raises:
        UserError: a file, a column, a clip or a label is missing or wrong
    """
    if track not in TRACKS:
        raise UserError(f"Unknown track '{track}'. {did_you_mean(track, TRACKS)}")
    if track != "ov" and (groups or wheel):
        raise UserError(f"Synonym groups and wheels belong to track ov, got track {track}. Leave them out.")
    labels, guesses = _read(truth), _read(prediction)
    if splits:
        labels = _of_splits(truth, labels, splits)
    if track == "ov":
        return _score_words(_words(truth, labels), _words(prediction, guesses), groups, wheel)
    true, guess = _column(truth, labels, "emotion"), _column(prediction, guesses, "emotion")
    unlabelled = true.index[true.isna()]
    true = true.dropna()
    guess = guess[guess.index.isin(true.index)] if track == "semi" else guess.drop(unlabelled, errors="ignore")
    require_same_clips(true.to_dict(), guess.to_dict())
    if true.empty:
        raise UserError(f"{truth} has no clip with an emotion, so nothing can be scored.")
    guess = guess[true.index]
    _check_emotions(prediction, guesses, guess, set(true))
    scores = {"weighted_f1": weighted_f1(true, guess), "accuracy": accuracy(true, guess)}
    if track == "multi":
        scores["mse"] = mean_squared_error(*_valences(truth, labels.loc[true.index], prediction, guesses))
        scores["score"] = emotion_valence_score(scores["weighted_f1"], scores["mse"])
    else:
        scores["score"] = scores["weighted_f1"]
    return scores


def _of_splits(path: Path, table: pd.DataFrame, splits: Sequence[str]) -> pd.DataFrame:
    column = _column(path, table, "split")
    for split in splits:
        if split not in set(column):
            raise UserError(f"{path} has no clip of split '{split}'. {did_you_mean(split, set(column.dropna()))}")
    return table[column.isin(list(splits))]


def _score_words(
    truth: dict[str, list[str]], guess: dict[str, list[str]], groups: Path | None, wheel: Path | None
) -> dict[str, float]:
    sets = set_scores(truth, guess, None if groups is None else _read_groups(groups))
    scores = {"set_accuracy": sets.accuracy, "set_recall": sets.recall, "set_score": sets.score}
    wheels = load_wheels(wheel)
    if wheel is None and not any(wheels.groups(words, "basic", "level1") for words in truth.values()):
        logger.warning("No true word is on the built-in wheel, which is English. Give --wheel to have wheel scores.")
        return scores
    on_wheels = wheel_scores(truth, guess, wheels)
    return scores | {
        "wheel_level1": on_wheels.level1, "wheel_level2": on_wheels.level2, "wheel_mean": on_wheels.mean,
    }  # fmt: skip


def _read_groups(path: Path) -> dict[str, list[list[str]]]:
    if not path.is_file():
        raise UserError(f"No file of synonym groups at {path}.")
    expected = """Expected JSON such as {"clip_1": [["happy", "joyful"], ["calm"]]}."""
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # neither JSON nor, if UnicodeDecodeError, UTF-8
        raise UserError(f"{path} cannot be read ({error}). {expected}") from None
    if not isinstance(groups, dict):
        raise UserError(f"{path} holds no object by clip. {expected}")
    for name, clip in groups.items():
        if not isinstance(clip, list) or not all(isinstance(group, list) for group in clip):
            raise UserError(f"{path}: the groups of '{name}' are no list of lists. {expected}")
    return groups


def _read(path: Path) -> pd.DataFrame:
    """Returns a table indexed by clip name, with the row number in column ``row``."""
    table = read_table(path, known=_KNOWN, required=("name",))
    if {"discrete", "emotion"} <= set(table):
        raise bad_row(path, 1, "columns 'discrete' and 'emotion' are both there. Keep the one to be scored.")
    table["name"] = table["name"].str.strip()
    seen: dict[str, int] = {}
    for row, name in table["name"].items():
        if pd.isna(name):
            raise bad_row(path, row, "the name is empty.")
        if name in seen:
            raise bad_row(path, row, f"'{name}' stands in row {seen[name]} already. Keep one of the two.")
        seen[name] = row
    return table.assign(row=table.index).set_index("name")


def _column(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    organisers = "discrete" if column == "emotion" else column
    here = column if column in table else organisers
    if here not in table:
        there = ", ".join(["name", *table.columns.drop("row")])
        raise UserError(f"{path} has no column '{organisers}'. It has: {there}.")
    if column != "emotion":
        return table[here]
    return table[here].map(lambda cell: float("nan") if is_missing(cell) else normalise_emotion(cell)).astype(object)


def _check_emotions(path: Path, table: pd.DataFrame, guess: pd.Series, true: set[str]) -> None:
    vocabulary = {*MER_EMOTIONS, *OTHER_EMOTIONS}
    for name, emotion in guess.items():
        if pd.isna(emotion):
            raise UserError(f"{path} has no emotion for '{name}'.")
        if true <= vocabulary and emotion not in vocabulary:
            raise bad_row(
                path,
                table.loc[name, "row"],
                f"unknown emotion '{emotion}'. {did_you_mean(emotion, {*MER_EMOTIONS, *true})}",
            )


def _words(path: Path, table: pd.DataFrame) -> dict[str, list[str]]:
    words = {}
    for name, cell in _column(path, table, "openset").items():
        try:
            words[name] = parse_words(cell)
        except UserError as error:
            raise bad_row(path, table.loc[name, "row"], str(error)) from None
    return words


def _valences(
    truth: Path, labels: pd.DataFrame, prediction: Path, guesses: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    true, guess = _numbers(truth, labels), _numbers(prediction, guesses)
    names = [name for name, value in true.items() if np.isfinite(value) and value != NO_VALENCE]
    absent = [name for name in names if not np.isfinite(guess[name])]
    if absent:
        raise UserError(f"{prediction} has no valence for {len(absent)} clips, the first is '{absent[0]}'.")
    return np.array([true[name] for name in names]), np.array([guess[name] for name in names])


def _numbers(path: Path, table: pd.DataFrame) -> dict[str, float]:
    numbers = {}
    for name, cell in _column(path, table, "valence").items():
        number = float("nan") if pd.isna(cell) else number_of(str(cell))
        if number is None:
            raise bad_row(path, table.loc[name, "row"], f"valence is '{cell}', expected a number.")
        numbers[name] = number
    return numbers

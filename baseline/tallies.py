"""The scores of predictions as tallies, for intervals and comparisons."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from baseline.sentiment import SIMS_RANGE, SentimentTask
from baseline.task import Prediction, Task
from baseline.vocabulary import VocabularyTask
from toolkit.metrics.class_counts import accuracy_of, unweighted_recall_of, weighted_f1_of
from toolkit.metrics.combined import emotion_valence_score
from toolkit.metrics.open_vocabulary import Groups, parse_words
from toolkit.metrics.regression import concordance_of
from toolkit.metrics.sentiment import mosi_tallies, sims_tallies
from toolkit.metrics.tally import Tally, class_tally, joined, mean_tally, number_tally
from toolkit.metrics.wheel import LEVELS, Wheels
from toolkit.metrics.word_tally import set_tally, wheel_tally

OTHER = "(another)"  # in place of every class that is the true one of no clip
# Names of tasks' own scores that are not the weighted or the wheel F; fine-tuning goes by accuracy, called WAR.
COMBINED, SET_SCORE, WAR = "WAF - 0.25 MSE", "set score", "WAR"


def task_tallies(task: Task, prediction: Prediction, table: pd.DataFrame) -> dict[str, Tally]:
    """Returns the scores of a task by name, of the clips that have a label; the track's own is ``score``.

    Args:
        task: which decides
        prediction: of some clips
        table: of the same clips, columns as of a corpus
    """
    facts = {"name": table["name"].to_numpy(), **task.columns(prediction, list(table["name"]))}
    facts |= {f"true_{column}": table[column].to_numpy() for column in ("emotion", "valence")}
    rows = pd.DataFrame(facts)
    if isinstance(task, SentimentTask):
        return sentiment_tallies(rows, sims=task.valence == SIMS_RANGE)
    if not isinstance(task, VocabularyTask):
        return emotion_tallies(rows, task.score_name)
    rows["openset"] = rows["openset"].map(parse_words)
    # Not the column of the corpus: classes stand for words where it has none.
    rows["true_openset"] = pd.Series([task.words.get(name, np.nan) for name in rows["name"]], dtype=object)
    return word_tallies(rows, task.score_name, task.wheels, task.groups)


def emotion_tallies(rows: pd.DataFrame, score_name: str) -> dict[str, Tally]:
    """Returns the scores of emotions and of the valence beside them.

    Args:
        rows: ``emotion, true_emotion, valence, true_valence``
        score_name: what the track's own score is
    """
    rows = rows[rows["true_emotion"].notna() | rows["true_valence"].notna()]
    labelled = rows["true_emotion"].notna().to_numpy()
    tallies: dict[str, Tally] = {}
    if labelled.any():
        known = set(rows["true_emotion"][labelled])
        # A guess of a class that no clip is of is wrong, whichever class it is: two runs are compared whose guesses are
        # of other classes. A clip whose emotion is not known stays out, whatever is put there.
        truth, guess = (rows[column].where(rows[column].isin(known), OTHER) for column in ("true_emotion", "emotion"))
        labels = [*sorted(known), OTHER]
        formulas = {"weighted_f1": weighted_f1_of, "accuracy": accuracy_of}
        if score_name == WAR:
            formulas["unweighted_recall"] = unweighted_recall_of
        for name, formula in formulas.items():
            tallies[name] = class_tally(truth.tolist(), guess.tolist(), labels, formula).only(labelled)
        tallies["score"] = tallies["accuracy" if score_name == WAR else "weighted_f1"]
    errors = (rows["valence"].astype(float) - rows["true_valence"].astype(float)).to_numpy() ** 2
    if np.isfinite(errors).any():
        tallies["mse"] = mean_tally(errors)
        if labelled.any() and score_name == COMBINED:
            tallies["score"] = joined(tallies["weighted_f1"], tallies["mse"], emotion_valence_score)
    return tallies


def sentiment_tallies(rows: pd.DataFrame, *, sims: bool) -> dict[str, Tally]:
    """Returns the scores of sentiments.

    Args:
        rows: ``valence, true_valence``
        sims: whether they are those of CH-SIMS in place of CMU-MOSI
    """
    rows = rows[rows["true_valence"].notna()]
    if rows.empty:
        return {}
    true, guess = (rows[column].to_numpy(np.float64) for column in ("true_valence", "valence"))
    tallies = {
        "ccc": number_tally(true, guess, concordance_of),
        **(sims_tallies if sims else mosi_tallies)(true, guess),
    }
    for name, formula in (("score", weighted_f1_of), ("accuracy", accuracy_of)):
        tallies[name] = class_tally((true > 0).tolist(), (guess > 0).tolist(), (False, True), formula).only(true != 0)
    return tallies


def word_tallies(rows: pd.DataFrame, score_name: str, wheels: Wheels, groups: Groups | None = None) -> dict[str, Tally]:
    """Returns the scores of words.

    Args:
        rows: ``name, openset, true_openset``, words as lists
        score_name: what the track's own score is
        wheels: where words stand
        groups: synonym groups by clip; only equal words match without
    """
    rows = rows[rows["true_openset"].notna()]
    truth, guess = (_words(rows, column) for column in ("true_openset", "openset"))
    tallies: dict[str, Tally] = {}
    if truth and (groups is None or set(truth) & set(groups)):
        tallies["set_score"] = set_tally(truth, guess, groups)
    if truth and score_name != SET_SCORE:
        tallies["wheel_f1"] = wheel_tally(truth, guess, wheels, LEVELS)
    own = "set_score" if score_name == SET_SCORE else "wheel_f1"
    return tallies | ({"score": tallies[own]} if own in tallies else {})


def _words(rows: pd.DataFrame, column: str) -> dict[str, Sequence[str]]:
    cells = (cell if isinstance(cell, list | tuple) else [] for cell in rows[column])
    return dict(zip(rows["name"], cells, strict=True))

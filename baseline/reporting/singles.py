"""What single clips say: words, confidence, valence."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from baseline.reporting.canvas import colours, css
from baseline.reporting.evidence import (
    Mistake,
    WordClip,
    WordCount,
    calibrate,
    confident_mistakes,
    count_words,
    worst_word_clips,
)
from baseline.reporting.evidence_pictures import calibration_picture, valence_picture, words_picture
from baseline.reporting.predictions import class_labels
from baseline.reporting.run_files import RunFiles
from toolkit.metrics.regression import concordance, pearson

MISTAKES_SHOWN = 12
WORDS_SHOWN = 18


class ClassTrust(NamedTuple):
    """The clips taken for one class: how many, their mean probability, and the share that was right."""

    label: str
    clips: int
    confidence: float
    right: float


class Confidence(NamedTuple):
    """How far probabilities can be trusted.

    Attributes:
        where: which clips
        clips: how many
        error: expected calibration error
        picture: reliability diagram
        right: mean confidence of right predictions
        wrong: mean confidence of wrong ones, NaN where there are none
        classes: the same by predicted class
        mistakes: the surest wrong ones
        colours: CSS colour of every class
    """

    where: str
    clips: int
    error: float
    picture: str
    right: float
    wrong: float
    classes: list[ClassTrust]
    mistakes: list[Mistake]
    colours: dict[str, str]


class ValenceError(NamedTuple):
    """The clips of one true emotion: how many, their mean squared error and their mean error (positive: too high)."""

    label: str
    colour: str
    clips: int
    mse: float
    bias: float


class Valence(NamedTuple):
    """Predicted against true valence over all clips, and by true emotion where every clip's is known."""

    where: str
    overall: ValenceError
    correlation: float
    concordance: float
    picture: str
    classes: list[ValenceError]


class Words(NamedTuple):
    """Open words: picture of frequent ones, never predicted ones, clips with least in common, sizes."""

    where: str
    clips: int
    picture: str
    never: list[WordCount]
    worst: list[WordClip]
    true_words: float
    predicted_words: float
    vocabulary: tuple[int, int]


def judged(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, str]:
    """Returns the clips whose truth is known, those of test splits if there are any, else held-out training clips.

    Args:
        table: in the form of ``predictions.read_predictions``
        column: the truth asked for, such as ``true_emotion``

    Returns:
        the rows, and where they come from in words
    """
    known = table[table[column].notna()]
    tests = known[known["split"].astype(str).str.startswith("test")]
    rows = tests if len(tests) else known
    where = ", ".join(sorted({str(split) for split in rows["split"]}))
    return rows, where if len(tests) else f"{where}, held out"


def confidence(run: RunFiles) -> Confidence | None:
    """Returns what probabilities are worth, ``None`` where no emotions are known or no probabilities kept."""
    labels = class_labels(run.predictions)
    rows, where = judged(run.predictions, "true_emotion")
    rows = rows[rows["confidence"].notna() & rows["emotion"].notna()]
    if not labels or rows.empty:
        return None
    right = (rows["emotion"] == rows["true_emotion"]).to_numpy()
    sure, taken = rows["confidence"].to_numpy(float), rows["emotion"].to_numpy(object)
    calibration = calibrate(sure, right)
    return Confidence(
        where,
        len(rows),
        calibration.error,
        calibration_picture(calibration),
        float(sure[right].mean()) if right.any() else float("nan"),
        float(sure[~right].mean()) if not right.all() else float("nan"),
        [_class_trust(label, sure[taken == label], right[taken == label]) for label in labels if label in taken],
        confident_mistakes(rows, labels, MISTAKES_SHOWN),
        {label: css(colour) for label, colour in colours(labels).items()},
    )


def valence(run: RunFiles) -> Valence | None:
    """Returns how well valence was met, ``None`` where it is not known of three clips or was not predicted."""
    rows, where = judged(run.predictions, "true_valence")
    rows = rows[rows["valence"].notna()]
    if len(rows) < 3:
        return None
    truth, prediction = rows["true_valence"].to_numpy(float), rows["valence"].to_numpy(float)
    emotions = None if rows["true_emotion"].isna().any() else rows["true_emotion"].to_numpy(object)
    labels = [] if emotions is None else [label for label in class_labels(run.predictions) if label in emotions]
    error = prediction - truth
    return Valence(
        where,
        _valence_error("all", "", error),
        pearson(truth, prediction),
        concordance(truth, prediction),
        valence_picture(truth, prediction, emotions, labels),
        [_valence_error(label, css(colour), error[emotions == label]) for label, colour in colours(labels).items()],
    )


def words(run: RunFiles) -> Words | None:
    """Returns how open words were met, ``None`` where none are known or none were predicted."""
    rows, where = judged(run.predictions, "true_openset")
    rows = rows[rows["openset"].notna()]
    if rows.empty:
        return None
    truth = dict(zip(rows["name"], rows["true_openset"], strict=True))
    prediction = dict(zip(rows["name"], rows["openset"], strict=True))
    counts = count_words(truth, prediction, limit=10**6)
    never = sorted((word for word in counts if not word.predicted), key=lambda word: (-word.true, word.word))
    return Words(
        where,
        len(rows),
        words_picture(counts[:WORDS_SHOWN]),
        never[:WORDS_SHOWN],
        worst_word_clips(rows, MISTAKES_SHOWN),
        float(np.mean([len(set(found)) for found in truth.values()])),
        float(np.mean([len(set(found)) for found in prediction.values()])),
        (sum(word.true > 0 for word in counts), sum(word.predicted > 0 for word in counts)),
    )


def _class_trust(label: str, sure: np.ndarray, right: np.ndarray) -> ClassTrust:
    return ClassTrust(label, len(sure), float(sure.mean()), float(right.mean()))


def _valence_error(label: str, colour: str, error: np.ndarray) -> ValenceError:
    return ValenceError(label, colour, len(error), float(np.mean(error**2)), float(error.mean()))

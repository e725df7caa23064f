"""Scores of sentiment from negative to positive, by the rules behind the tables of CMU-MOSI, CMU-MOSEI and CH-SIMS.

The rules are those of MMSA (https://github.com/thuiar/MMSA), which went into nearly every table of these corpora. MMSA
rounds what it reports of MOSI and MOSEI to four places; here nothing is rounded.
"""

from collections.abc import Sequence

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.class_counts import accuracy_of, weighted_f1_of
from toolkit.metrics.classification import likeliest
from toolkit.metrics.regression import number_pair, pearson_of
from toolkit.metrics.tally import Tally, class_tally, mean_tally, number_tally

# Limits between the classes of CH-SIMS; a number on a limit is of the class below it.
SIMS_LIMITS = {2: (0.0,), 3: (-0.1, 0.1), 5: (-0.7, -0.1, 0.1, 0.7)}
NEGATIVE, NEUTRAL, POSITIVE = range(3)


def mosi_scores(truth: Sequence[float], prediction: Sequence[float]) -> dict[str, float]:
    """Returns the scores of CMU-MOSI and CMU-MOSEI by name; what they are and what is wrong, `mosi_tallies`."""
    return {name: tally.score for name, tally in mosi_tallies(truth, prediction).items()}


def mosi_tallies(truth: Sequence[float], prediction: Sequence[float]) -> dict[str, Tally]:
    """Returns the scores of CMU-MOSI and CMU-MOSEI, sentiments from -3 to 3, as tallies by name.

    - ``accuracy_2_has0``, ``f1_has0``: negative or not, 0 being not negative, over all clips
    - ``accuracy_2_non0``, ``f1_non0``: positive or not, over the clips whose true sentiment is not 0; NaN without any
    - ``accuracy_5``, ``accuracy_7``: nearest whole number within -2 to 2 and -3 to 3, halves to the even one
    - ``mae``, ``correlation``: mean absolute error and Pearson's correlation (NaN of a constant) of the numbers as are

    F1 is the weighted one. MERTools reports accuracy and F1 without 0.

    Args:
        truth: ``(clips,)`` true sentiments
        prediction: ``(clips,)`` predicted sentiments

    Raises:
        UserError: the lengths differ, there are no clips, or a number is not finite
    """
    true, guess = number_pair(truth, prediction)
    return {
        **_two_classes(true >= 0, guess >= 0, "has0"),
        **_two_classes(true > 0, guess > 0, "non0", rows=true != 0),
        "accuracy_5": mean_tally(_whole(true, 2) == _whole(guess, 2)),
        "accuracy_7": mean_tally(_whole(true, 3) == _whole(guess, 3)),
        "mae": mean_tally(np.abs(true - guess)),
        "correlation": number_tally(true, guess, pearson_of),
    }


def sims_scores(truth: Sequence[float], prediction: Sequence[float]) -> dict[str, float]:
    """Returns the scores of CH-SIMS and CH-SIMS v2 by name; what they are and what is wrong, `sims_tallies`."""
    return {name: tally.score for name, tally in sims_tallies(truth, prediction).items()}


def sims_tallies(truth: Sequence[float], prediction: Sequence[float]) -> dict[str, Tally]:
    """Returns the scores of CH-SIMS and CH-SIMS v2, sentiments from -1 to 1, as tallies by name.

    Both sides are brought into -1 to 1 first. ``accuracy_2``, ``accuracy_3`` and ``accuracy_5`` compare classes between
    `SIMS_LIMITS`, so that 0 is with the negative ones; ``f1`` is the weighted F1 of the two; ``mae`` and
    ``correlation`` as in `mosi_tallies`.

    Args:
        truth: ``(clips,)`` true sentiments
        prediction: ``(clips,)`` predicted sentiments

    Raises:
        UserError: the lengths differ, there are no clips, or a number is not finite
    """
    true, guess = (np.clip(values, -1, 1) for values in number_pair(truth, prediction))
    classes = {number: (_between(true, limits), _between(guess, limits)) for number, limits in SIMS_LIMITS.items()}
    return {
        **{f"accuracy_{number}": mean_tally(one == other) for number, (one, other) in classes.items()},
        "f1": class_tally(*classes[2], range(2), weighted_f1_of),
        "mae": mean_tally(np.abs(true - guess)),
        "correlation": number_tally(true, guess, pearson_of),
    }


def three_class_scores(truth: Sequence[int], scores: np.ndarray) -> dict[str, float]:
    """Returns the scores of networks that choose among negative, neutral and positive; errors as `three_class_tallies`.

    Returns:
        scores by name
    """
    return {name: tally.score for name, tally in three_class_tallies(truth, scores).items()}


def three_class_tallies(truth: Sequence[int], scores: np.ndarray) -> dict[str, Tally]:
    """Returns the scores of networks that choose among negative, neutral and positive, as tallies by name.

    - ``accuracy_3``, ``f1_3``: the highest of the three
    - ``accuracy_2_has0``, ``f1_has0``: positive or not (neutral is not), over all clips
    - ``accuracy_2_non0``, ``f1_non0``: positive or negative, over the clips that are not neutral; NaN without any

    Of two classes, the higher of negative and positive is predicted. MMSA is wrong in the last pair: it compares that
    choice, 0 or 1, with labels that are still 0 or 2, so that no positive clip is ever right. Here it is.

    Args:
        truth: ``(clips,)`` 0 negative, 1 neutral, 2 positive
        scores: ``(clips, 3)`` probabilities or logits in that order

    Raises:
        UserError: the lengths differ, there are no clips, a class is none of the three, or a score is NaN
    """
    true, scores = np.asarray(truth), np.asarray(scores)
    if scores.shape != (len(true), 3):
        raise UserError(f"Got scores {scores.shape} of {len(true)} clips. Expected ({len(true)}, 3).")
    guess, positive = likeliest(scores), scores[:, POSITIVE] > scores[:, NEGATIVE]
    return {
        "accuracy_3": class_tally(true, guess, range(3), accuracy_of),
        "f1_3": class_tally(true, guess, range(3), weighted_f1_of),
        **_two_classes(true == POSITIVE, positive, "has0"),
        **_two_classes(true == POSITIVE, positive, "non0", rows=true != NEUTRAL),
    }


def _two_classes(true: np.ndarray, guess: np.ndarray, name: str, rows: np.ndarray | None = None) -> dict[str, Tally]:
    kept = np.ones_like(true) if rows is None else rows
    formulas = {f"accuracy_2_{name}": accuracy_of, f"f1_{name}": weighted_f1_of}
    return {
        key: class_tally(true.astype(int), guess.astype(int), range(2), formula).only(kept)
        for key, formula in formulas.items()
    }


def _whole(values: np.ndarray, limit: int) -> np.ndarray:
    return np.rint(np.clip(values, -limit, limit))


def _between(values: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    # In float32, in which labels and predictions are kept: there -0.1 is on the limit -0.1, in float64 beside it.
    return np.searchsorted(np.asarray(limits, np.float32), values.astype(np.float32), side="left")

"""Scores of the ABAW challenges per frame: action units and expressions.

Affective behaviour analysis in the wild, on Aff-Wild2 (the sixth: arXiv 2402.19344). Valence and arousal are scored by
`toolkit.metrics.regression.concordance`, all frames end to end.
"""

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.class_counts import ClassCounts, class_f1_of
from toolkit.metrics.classification import class_f1, likeliest

ACTION_UNITS = (1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26)
EXPRESSIONS = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise", "other")
UNANNOTATED = -1
THRESHOLD = 0.5  # a unit is there if its probability is above


def action_unit_f1(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Returns the F1 of each action unit, ``(units,)``, 0 of one that is neither there nor predicted; the mean ranks.

    Args:
        truth: ``(frames, units)`` 1 where the unit is there, 0 where not, -1 where nobody looked, which is left out
        probability: ``(frames, units)`` of each unit on its own

    Raises:
        UserError: the shapes differ, a label is none of the three, a probability is NaN, or there is no label
    """
    truth, probability = np.asarray(truth), np.asarray(probability)
    if truth.shape != probability.shape or truth.ndim != 2:
        got = f"labels {truth.shape} and probabilities {probability.shape}"
        raise UserError(f"Got {got}. Expected both (frames, units).")
    if not np.isin(truth, (0, 1, UNANNOTATED)).all() or (truth == UNANNOTATED).all():
        raise UserError("Labels of action units are 1, 0 or -1 (unknown), and some must be known.")
    if np.isnan(probability).any():
        raise UserError("A probability is NaN: the network that gave it diverged. Leave its frames out.")
    there, said = truth == 1, (probability > THRESHOLD) & (truth != UNANNOTATED)
    return class_f1_of(ClassCounts(there.sum(axis=0), said.sum(axis=0), (there & said).sum(axis=0)))


def expression_f1(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns the F1 of each expression, ``(expressions,)``, 0 of one that occurs nowhere; the mean ranks.

    Args:
        truth: ``(frames,)`` place among `EXPRESSIONS`, -1 where nobody looked, which is left out
        scores: ``(frames, expressions)`` probabilities or logits, of which the highest is predicted

    Raises:
        UserError: the shapes do not fit, a label is none of the known, a score is NaN, or there is no label
    """
    truth, scores = np.asarray(truth), np.asarray(scores)
    if truth.ndim != 1 or scores.shape != (len(truth), len(EXPRESSIONS)):
        expected = f"(frames,) and (frames, {len(EXPRESSIONS)})"
        raise UserError(f"Got labels {truth.shape} and scores {scores.shape}. Expected {expected}.")
    known = truth != UNANNOTATED
    return class_f1(truth[known], likeliest(scores[known]), range(len(EXPRESSIONS)))

"""Which options of a search mattered: how much of the spread of the merits goes with each of them alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from baseline.spread import deviation
from baseline.trial import Trial


class ValueMerit(NamedTuple):
    """What came of one value of an option.

    Attributes:
        value: the value
        trials: number of trials that had it
        mean: of their merits
        deviation: of their merits, NaN of a single one
    """

    value: Any
    trials: int
    mean: float
    deviation: float


class Importance(NamedTuple):
    """How much an option mattered by itself.

    Attributes:
        option: such as ``network.hidden``
        share: of the variance of the merits that lies between the values' means, from 0 to 1
        error: standard error of the share
        chance: what the share is on average where the option does not matter
        values: by value, the best first
    """

    option: str
    share: float
    error: float
    chance: float
    values: list[ValueMerit]


def importances(trials: Sequence[Trial]) -> list[Importance]:
    """Returns the importance of each option that was tried with several values, the most important first.

    The share is Fisher's correlation ratio (1925, *Statistical Methods for Research Workers*, 45): the variance
    between the mean merits by value over the variance of all merits. With draws that are independent it estimates the
    main effects of a functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014, ICML, who fit a random
    forest because their ranges are continuous; ours have a few values each). What options do only together is in
    none of the shares. Its error is the jackknife's over trials (Efron & Tibshirani 1993, 11). Chance alone gives
    ``(values - 1) / (trials - 1)``, the mean over all ways to deal the merits out to the trials.

    Args:
        trials: those that failed are left out
    """
    done = [trial for trial in trials if trial.merits]
    merits = np.array([trial.merit for trial in done])
    found = []
    for option in done[0].settings if len(done) > 2 else ():
        values = list(dict.fromkeys(trial.settings[option] for trial in done))
        codes = np.array([values.index(trial.settings[option]) for trial in done])
        if len(values) > 1:
            share, error = correlation_ratio(codes, merits), _jackknife_error(codes, merits)
            chance = (len(values) - 1) / (len(done) - 1)
            found.append(Importance(option, share, error, chance, _by_value(values, codes, merits)))
    return sorted(found, key=lambda one: -one.share)


def correlation_ratio(groups: np.ndarray, numbers: np.ndarray) -> float:
    """Returns the share of the variance of numbers that lies between the means of groups, 0 where nothing varies.

    Args:
        groups: ``(n,)`` whole numbers from 0
        numbers: ``(n,)``

    Examples:
        >>> correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 3.0, 5.0, 7.0]))
        0.8
    """
    total = float(((numbers - numbers.mean()) ** 2).sum())
    counts = np.bincount(groups)
    means = np.bincount(groups, numbers) / np.maximum(counts, 1)
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    return between / total if total > 0 else 0.0


def _jackknife_error(groups: np.ndarray, numbers: np.ndarray) -> float:
    count = len(numbers)
    without = [np.arange(count) != left_out for left_out in range(count)]
    shares = np.array([correlation_ratio(groups[rows], numbers[rows]) for rows in without])
    return float(np.sqrt((count - 1) * shares.var()))


def _by_value(values: Sequence[Any], codes: np.ndarray, merits: np.ndarray) -> list[ValueMerit]:
    parts = [(value, merits[codes == code]) for code, value in enumerate(values)]
    rows = [ValueMerit(value, len(own), float(own.mean()), deviation(own)) for value, own in parts]
    return sorted(rows, key=lambda row: -row.mean)

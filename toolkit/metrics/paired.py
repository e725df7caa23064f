"""Whether one set of predictions is better than another, on the same clips or over the same seeds."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.bootstrap import block_sizes, percentile_interval, require_share, resampled_scores
from toolkit.metrics.tally import Tally, mean_tally
from toolkit.seeds import generator_for

ROUNDING = 1e-9  # relative; differences that are equal but for rounding count as equal


class Comparison(NamedTuple):
    """What one side has over the other.

    Attributes:
        difference: score of the first less score of the second
        low: lower end of its interval
        high: upper end
        p_value: how often chance alone makes a difference at least as large, either way
    """

    difference: float
    low: float
    high: float
    p_value: float


def compare_clips(
    first: Tally, second: Tally, *, resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compares one score of two sets of predictions on the same clips.

    The p-value is of the randomisation test (Noreen 1989, *Computer-Intensive Methods for Testing Hypotheses*; for F1,
    Yeh 2000, C00-2137): if both are equally good, a clip's two predictions may change sides. All ways to do so
    are counted where there are no more than ``resamples``; otherwise so many are drawn, and the p-value is
    ``(1 + as large) / (1 + drawn)``, never 0 (Phipson & Smyth 2010). The interval is of the paired bootstrap: both
    scores on the same resamples (Efron & Tibshirani 1993; Koehn 2004, W04-3250).

    Args:
        first: the one score
        second: the same score of the other predictions, clips in the same order
        resamples: of either method
        confidence: of the interval
        seed: of the draws

    Raises:
        UserError: the clips or the kinds of score differ, there is no resample, or the confidence is no share
    """
    if first.terms.shape != second.terms.shape:
        raise UserError(
            f"Got scores of {len(first.terms)} and {len(second.terms)} clips, with {first.terms.shape[1]} and "
            f"{second.terms.shape[1]} terms. Expected one kind of score of the same clips in the same order."
        )
    difference = first.score - second.score
    one, other = resampled_scores([first, second], resamples=resamples, seed=seed)
    low, high = percentile_interval(one - other, confidence)
    return Comparison(difference, low, high, _p_value(first, second, resamples, seed))


def compare_runs(
    first: Sequence[float], second: Sequence[float], *, resamples: int = 10_000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compares the mean scores of several runs that are alike in pairs: same seed and folds, another network, say.

    The p-value is of the sign-flip test on the differences (Fisher 1935, *The Design of Experiments*, 21), exact where
    there are no more than ``resamples`` ways to flip them: with five pairs it cannot be below 2/32. The interval is
    Student's (1908), because a bootstrap of five numbers is far too narrow. Both say how sure the seeds make us on the
    clips that were scored; what other clips would say, `compare_clips` knows.

    Args:
        first: scores of the one
        second: scores of the other, in the same order
        resamples: flips that are drawn where there are too many to count
        confidence: of the interval
        seed: of the draws

    Returns:
        the comparison; its interval is NaN for a single pair

    Raises:
        UserError: the numbers of runs differ or are zero, a score is not finite, or the confidence is no share

    Examples:
        >>> compare_runs([0.71, 0.72, 0.74], [0.70, 0.70, 0.71]).p_value
        0.25
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape or one.ndim != 1 or not one.size:
        raise UserError(f"Got {one.size} and {other.size} runs. Expected as many of both, in pairs of the same seed.")
    if not np.isfinite([one, other]).all():
        raise UserError("The score of a run is NaN or infinite, so that runs cannot be compared by it.")
    low, high = _student_interval(one - other, confidence)
    p_value = _p_value(mean_tally(one), mean_tally(other), resamples, seed)
    return Comparison(float((one - other).mean()), low, high, p_value)


def _p_value(first: Tally, second: Tally, resamples: int, seed: int) -> float:
    gain = second.terms - first.terms  # what the first side gets, and the second loses, if a clip changes sides
    here, there = first.terms.sum(axis=0), second.terms.sum(axis=0)
    enough = abs(first.score - second.score) * (1 - ROUNDING)
    pairs, larger = len(gain), 0
    exact = pairs < 63 and 2**pairs <= resamples
    for changed in _all_changes(pairs) if exact else _drawn_changes(pairs, resamples, seed):
        moved = changed @ gain
        apart = np.abs(first.formula(here + moved) - first.formula(there - moved))
        larger += int((~(apart < enough)).sum())  # one without a score counts as large, to be on the safe side
    return larger / 2**pairs if exact else (1 + larger) / (1 + resamples)


def _all_changes(pairs: int) -> Iterator[np.ndarray]:
    yield (np.arange(2**pairs)[:, None] >> np.arange(pairs) & 1).astype(np.float64)


def _drawn_changes(pairs: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    generator = generator_for(seed, "randomisation")
    for rows in block_sizes(pairs, resamples):
        yield generator.integers(2, size=(rows, pairs), dtype=np.int8).astype(np.float64)


def _student_interval(differences: np.ndarray, confidence: float) -> tuple[float, float]:
    require_share(confidence)
    pairs, mean = len(differences), float(differences.mean())
    if pairs < 2:
        return float("nan"), float("nan")
    from scipy.special import stdtrit

    reach = float(stdtrit(pairs - 1, (1 + confidence) / 2) * differences.std(ddof=1) / np.sqrt(pairs))
    return mean - reach, mean + reach

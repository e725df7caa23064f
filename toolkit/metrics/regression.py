"""Scores of numbers such as valence or sentiment."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.class_counts import share


class Moments(NamedTuple):
    """What correlations know of two rows of numbers; each ``(...)``, mean over the clips.

    Attributes:
        shift: mean prediction less mean truth
        true_variance: mean squared distance of the truth from its mean
        guess_variance: the same of the prediction
        covariance: mean product of both distances
    """

    shift: np.ndarray
    true_variance: np.ndarray
    guess_variance: np.ndarray
    covariance: np.ndarray


def number_pair(truth: Sequence[float], prediction: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Returns true and predicted numbers as float64 arrays ``(clips,)``.

    Raises:
        UserError: the lengths differ, there is not one number per clip, no clip, or a number is not finite
    """
    true, guess = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    if true.ndim != 1 or guess.ndim != 1:
        raise UserError(f"Got true numbers {true.shape} and predicted ones {guess.shape}. Expected both (clips,).")
    if true.shape != guess.shape or true.size == 0:
        raise UserError(f"{true.size} true and {guess.size} predicted numbers; expected as many of both, at least one.")
    if not (np.isfinite(true).all() and np.isfinite(guess).all()):
        raise UserError("A number to be scored is NaN or infinite; leave clips without a label out.")
    return true, guess


def mean_squared_error(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns the mean of the squared differences (MSE) of ``(clips,)`` numbers; errors as `number_pair`."""
    true, guess = number_pair(truth, prediction)
    return float(((true - guess) ** 2).mean())


def mean_absolute_error(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns the mean of the differences without their sign (MAE); errors as `number_pair`."""
    true, guess = number_pair(truth, prediction)
    return float(np.abs(true - guess).mean())


def pearson(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns Pearson's correlation (PCC, Corr), NaN where either side is constant; errors as `number_pair`."""
    return float(pearson_of(_moments(*number_pair(truth, prediction))))


def concordance(
    truth: Sequence[float], prediction: Sequence[float], *, covariance_ddof: int = 0, variance_ddof: int = 0
) -> float:
    """Returns the concordance correlation coefficient (CCC; Lin 1989, Biometrics 45, 255-268).

    ``2 cov / (var_x + var_y + (mean_x - mean_y)^2)`` with means over all N clips, which is what challenges mean by CCC.
    Published code also divides by ``N - 1``: in both places (TAIF, arXiv 2207.11389), or under the variances alone,
    which makes it a little smaller (the loss of an ABAW6 solution, arXiv 2403.15044).

    Args:
        truth: ``(clips,)`` true numbers
        prediction: ``(clips,)`` predicted numbers
        covariance_ddof: what is taken off N under the covariance
        variance_ddof: what is taken off N under the variances

    Returns:
        the coefficient, NaN where both sides are constant and equal, or no clip is left to divide by

    Raises:
        UserError: as `number_pair`
    """
    true, guess = number_pair(truth, prediction)
    shift, true_variance, guess_variance, covariance = _moments(true, guess)
    clips = np.float64(len(true))
    wider, larger = share(clips, clips - variance_ddof), share(clips, clips - covariance_ddof)
    return float(concordance_of(Moments(shift, true_variance * wider, guess_variance * wider, covariance * larger)))


def pearson_of(moments: Moments) -> np.ndarray:
    """Returns ``cov / sqrt(var_x var_y)``, NaN where either variance is 0."""
    return share(moments.covariance, np.sqrt(moments.true_variance * moments.guess_variance))


def concordance_of(moments: Moments) -> np.ndarray:
    """Returns ``2 cov / (var_x + var_y + shift^2)``, NaN where this is 0 / 0."""
    return share(2 * moments.covariance, moments.true_variance + moments.guess_variance + moments.shift**2)


def _moments(true: np.ndarray, guess: np.ndarray) -> Moments:
    # Counted from the first clip on, so that rounding leaves no variance to a constant.
    true_rest, guess_rest = true - true[0], guess - guess[0]
    true_rest, guess_rest = true_rest - true_rest.mean(), guess_rest - guess_rest.mean()
    return Moments(
        guess.mean() - true.mean(), (true_rest**2).mean(), (guess_rest**2).mean(), (true_rest * guess_rest).mean()
    )

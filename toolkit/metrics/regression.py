"""Scores of numbers such as valence."""

from collections.abc import Sequence

import numpy as np

from toolkit.errors import UserError


def _pair(truth: Sequence[float], prediction: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    true, guess = np.asarray(truth, np.float64), np.asarray(prediction, np.float64)
    if true.shape != guess.shape or true.size == 0:
        raise UserError(f"{true.size} true and {guess.size} predicted numbers; expected as many of both, at least one.")
    if not (np.isfinite(true).all() and np.isfinite(guess).all()):
        raise UserError("A number to be scored is NaN or infinite; leave clips without a label out.")
    return true, guess


def mean_squared_error(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns the mean of the squared differences of ``(clips,)`` numbers.

    Raises:
        UserError: the lengths differ, there are no clips, or a number is not finite
    """
    true, guess = _pair(truth, prediction)
    return float(((true - guess) ** 2).mean())


def pearson(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns Pearson's correlation (PCC), NaN where either side is constant; errors as `mean_squared_error`."""
    true, guess = _pair(truth, prediction)
    spread = true.std() * guess.std()
    return float(((true - true.mean()) * (guess - guess.mean())).mean() / spread) if spread else float("nan")


def concordance(truth: Sequence[float], prediction: Sequence[float]) -> float:
    """Returns the concordance correlation coefficient (CCC) with population variances.

    ``2 cov / (var_x + var_y + (mean_x - mean_y)^2)`` (Lin 1989); NaN where both sides are constant and equal; errors
    as `mean_squared_error`.
    """
    true, guess = _pair(truth, prediction)
    covariance = ((true - true.mean()) * (guess - guess.mean())).mean()
    scale = true.var() + guess.var() + (true.mean() - guess.mean()) ** 2
    return float(2 * covariance / scale) if scale else float("nan")

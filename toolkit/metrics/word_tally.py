"""Open-vocabulary scores as tallies, for intervals and comparisons."""

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.metrics.class_counts import share
from toolkit.metrics.open_vocabulary import Groups, require_same_clips, set_overlaps
from toolkit.metrics.tally import Tally, mean_tally
from toolkit.metrics.wheel import Wheels, harmonic_mean, wheel_overlaps

Words = Mapping[str, Sequence[str]]


def set_tally(truth: Words, prediction: Words, groups: Groups | None = None) -> Tally:
    """Returns the tally of the set score, the mean of accuracy and recall; arguments and errors as `set_scores`."""
    return mean_tally(set_overlaps(truth, prediction, groups).mean(axis=1))


def wheel_tally(truth: Words, prediction: Words, wheels: Wheels, levels: Sequence[str]) -> Tally:
    """Returns the tally of the emotion-wheel F, mean over wheels and levels.

    Args:
        truth: words of each clip
        prediction: words of each clip
        wheels: where words stand
        levels: ``level1`` for the rank of MER2026, both for that of MER2025

    Raises:
        UserError: a clip is missing on one side, or no true word is on a wheel
    """
    require_same_clips(truth, prediction)
    tables = [wheel_overlaps(truth, prediction, wheels, wheel, level) for level in levels for wheel in wheels.wheels]
    overlaps = np.stack(tables, axis=1)  # (clips, wheels, 2)
    scored = ~np.isnan(overlaps[..., :1])
    terms = np.concatenate([np.nan_to_num(overlaps), scored], axis=2)
    return Tally(terms.reshape(len(terms), -1), _mean_f)


def _mean_f(sums: np.ndarray) -> np.ndarray:
    precision, recall, clips = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    return harmonic_mean(share(precision, clips), share(recall, clips)).mean(axis=-1)

"""How far a score would move with other clips of the same kind: percentile intervals of the bootstrap."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.errors import UserError
from toolkit.metrics.tally import Tally
from toolkit.seeds import generator_for

BLOCK = 1 << 21  # weights held at once, 16 MB


class Interval(NamedTuple):
    """From ``low`` to ``high``."""

    low: float
    high: float


def bootstrap_interval(tally: Tally, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Returns the percentile interval of a score (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, 13.3).

    As many clips as there are, are drawn with replacement, many times; the interval holds the middle of the scores.
    Clips are taken to be independent: where many are of one speaker or video, the truth is wider.

    Args:
        tally: the score and its clips
        resamples: how often clips are drawn, 1,000 or more to be printed with two digits
        confidence: share of the scores inside
        seed: same seed, same interval

    Returns:
        the interval; resamples without a score (a correlation with a constant, say) are left out, NaN if all are

    Raises:
        UserError: there is no resample, or the confidence is not between 0 and 1

    Examples:
        >>> from toolkit.metrics.tally import mean_tally
        >>> low, high = bootstrap_interval(mean_tally([1] * 75 + [0] * 25))
        >>> f"{low:.2f} to {high:.2f}"
        '0.67 to 0.83'
    """
    return percentile_interval(resampled_scores([tally], resamples=resamples, seed=seed)[0], confidence)


def percentile_interval(scores: np.ndarray, confidence: float) -> Interval:
    """Returns the middle share of some scores ``(resamples,)``, NaN left out; errors as `bootstrap_interval`."""
    require_share(confidence)
    known = scores[~np.isnan(scores)]
    if not known.size:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def require_share(confidence: float) -> None:
    """Checks a confidence.

    Raises:
        UserError: it is not between 0 and 1
    """
    if not 0 < confidence < 1:
        raise UserError(f"Got a confidence of {confidence}. Expected a share between 0 and 1, such as 0.95.")


def resampled_scores(tallies: Sequence[Tally], *, resamples: int, seed: int) -> np.ndarray:
    """Returns the scores of resampled clips, ``(tallies, resamples)``.

    Args:
        tallies: scores of the same clips, all of which see the same resamples
        resamples: how many
        seed: of the draws

    Raises:
        UserError: there is no resample
    """
    if resamples < 1:
        raise UserError(f"Got {resamples} resamples. Expected 1 or more, 1,000 for an interval worth printing.")
    generator = generator_for(seed, "bootstrap")
    blocks = resample_weights(generator, len(tallies[0].terms), resamples)
    return np.concatenate([[tally.scores(weights) for tally in tallies] for weights in blocks], axis=1)


def resample_weights(generator: np.random.Generator, clips: int, resamples: int) -> Iterator[np.ndarray]:
    """Yields how often each clip was drawn, ``(resamples of the block, clips)`` float64."""
    for rows in block_sizes(clips, resamples):
        drawn = generator.integers(clips, size=(rows, clips)) + clips * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * clips).reshape(rows, clips).astype(np.float64)


def block_sizes(clips: int, resamples: int) -> list[int]:
    """Returns resamples in blocks that stay small in memory.

    Examples:
        >>> block_sizes(1_000_000, 5)
        [2, 2, 1]
    """
    rows = max(1, BLOCK // clips)
    return [min(rows, resamples - start) for start in range(0, resamples, rows)]

"""Pauses: where a long recording is cut so that no word is cut in two."""

from collections.abc import Iterator

import numpy as np

_STEP = 0.02  # seconds over which loudness is measured
_PAUSE = 15  # steps that must be quiet together: 0.3 s, longer than the closure of a plosive


def cut_at_pauses(samples: np.ndarray, rate: int, *, longest: int) -> Iterator[tuple[int, int]]:
    """Cuts a recording into stretches that cover it once, each ending in the quietest moment of its last third.

    Args:
        samples: ``(S,)`` float32; read stretch by stretch, since it may be hours long
        rate: samples per second (Hz)
        longest: most samples of a stretch, a tenth of a second at least

    Yields:
        first sample of a stretch, and the one after its last

    Examples:
        >>> sound = np.ones(1000, np.float32)
        >>> sound[510:540] = 0
        >>> list(cut_at_pauses(sound, 100, longest=600))
        [(0, 525), (525, 1000)]
    """
    start = 0
    while len(samples) - start > longest:
        earliest = start + 2 * longest // 3
        stop = earliest + _quietest(np.asarray(samples[earliest : start + longest]), rate)
        yield start, stop
        start = stop
    yield start, len(samples)


def _quietest(samples: np.ndarray, rate: int) -> int:
    """Returns the middle of the quietest moment; of several as quiet, the last."""
    step = max(1, round(_STEP * rate))
    count = len(samples) // step
    energy = np.square(samples[: count * step].astype(np.float64)).reshape(count, step).sum(axis=1)
    span = max(1, min(_PAUSE, count))
    totals = np.convolve(energy, np.ones(span), mode="valid")
    first = len(totals) - 1 - int(totals[::-1].argmin())
    return max(1, round((first + span / 2) * step))

"""Which frames of a clip a masked autoencoder sees, as MAE-DFER, SVFAP and HiCMAE choose them.

Chance is a generator of numpy's; with a ``RandomState``, which theirs is, the frames are theirs.
"""

from typing import NamedTuple

import numpy as np

FRAMES = 16  # that a network sees at once


class Choice(NamedTuple):
    """Frames of a clip and the stretch whose sound goes with them.

    Attributes:
        frames: ``(16,)`` int64, numbers from 0; the last may come several times
        start: frame at which the sound begins
        end: frame at which it ends
    """

    frames: np.ndarray
    start: int
    end: int


def training_frames(count: int, step: int, chance: np.random.Generator | np.random.RandomState) -> Choice:
    """Chooses frames for fine-tuning, about ``step`` apart, from a random place; a short clip is seen whole.

    The authors choose the frames of validation so as well, and their scores wander from epoch to epoch; a ``chance``
    that begins anew for each clip keeps them still.

    Args:
        count: frames of the clip, at least 1
        step: frames from one to the next
        chance: drawn from once, if the clip is longer than what is seen
    """
    span = FRAMES * step
    if count > span:
        end = span + int(chance.choice(count - span))
        frames = np.linspace(end - span, end, FRAMES)
    else:
        end = count
        own = np.linspace(0, count, count // step)
        frames = np.concatenate([own, np.full(FRAMES - len(own), float(count))])
    start = max(0, end - span)
    return Choice(frames.clip(start, end - 1).astype(np.int64), start, min(start + span, count - 1))


def view_frames(count: int, step: int, views: int = 2) -> list[Choice]:
    """Chooses frames for several views of a clip, the first from its beginning and the last from its end.

    Args:
        count: frames of the clip, at least 1
        step: frames from one to the next
        views: how many, at least 1; of a short clip they are the same
    """
    numbers = np.arange(0, count, step)
    numbers = np.concatenate([numbers, np.full(max(0, FRAMES - len(numbers)), numbers[-1])])
    chosen = []
    for first in np.linspace(0, len(numbers) - FRAMES, views).astype(int):
        frames = numbers[first : first + FRAMES]
        chosen.append(Choice(frames, int(frames[0]), int(min(frames[-1] + step, count - 1))))
    return chosen


def pretraining_frames(count: int, step: int, chance: np.random.Generator | np.random.RandomState) -> Choice:
    """Chooses frames ``step`` apart from a random place; where the clip ends too soon, the last comes again.

    Args:
        count: frames of the clip, at least 1
        step: frames from one to the next, 4 in all three systems
        chance: drawn from once, if the clip is as long as what is seen
    """
    span = FRAMES * step
    start = int(chance.choice(count - span + 1)) if count >= span else 0
    last = start + (count - 1 - start) // step * step
    frames = np.minimum(start + step * np.arange(FRAMES), last)
    return Choice(frames, start, min(start + span, count - 1))

"""The sound that goes with the frames chosen from a clip."""

import numpy as np

from toolkit.errors import ClipError
from toolkit.frame_sampling import Choice
from toolkit.status import Status

RATE = 16000  # samples per second (Hz)
SHORTEST = 1024  # samples; what is no longer is no segment
HEARD = 2.56  # seconds that HiCMAE listens to at once


def sound_of(choice: Choice, count: int, samples: np.ndarray) -> np.ndarray:
    """Returns the sound from the first to the end frame of a choice, the clip's frames being spread evenly over it.

    So do the authors of HiCMAE. Where the frames leave next to nothing, it is all of a sound that is heard whole.

    Args:
        choice: the frames
        count: frames of the clip
        samples: ``(S,)`` all of its sound at 16 kHz

    Raises:
        ClipError: the frames leave next to nothing of a longer sound
    """
    start, end = (int(frame / max(1, count - 1) * len(samples)) for frame in (choice.start, choice.end))
    if end - start > SHORTEST:
        return samples[start:end]
    if len(samples) < HEARD * RATE:
        return samples
    raise ClipError(
        Status.TOO_SHORT,
        f"frames {choice.start} to {choice.end} of {count} hold {max(0, end - start)} samples of sound, expected more "
        f"than {SHORTEST}: sound and frames are not of one clip, or the clip has too few frames",
    )


def random_gain(samples: np.ndarray, chance: np.random.Generator | np.random.RandomState) -> np.ndarray:
    """Returns a sound louder or softer, by a factor between 0.5 and 1.5 and most often near 1.

    All that the ``roll_mag_aug`` of HiCMAE does (Gong, Chung, Glass 2021, meant to roll the sound as well, but draw
    the shift from its one channel). The release leaves it on in validation and testing; it belongs to training.

    Args:
        samples: ``(S,)``
        chance: drawn from once
    """
    return samples * samples.dtype.type(chance.beta(10, 10) + 0.5)

"""HiCMAE: face and sound of the speaker at once."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from feature_extraction.encoder import register
from feature_extraction.source import Speaker
from feature_extraction.visual.face_clips import tiny
from feature_extraction.visual.hicmae_face import HicmaeFaceEncoder
from toolkit.clip_sound import SHORTEST
from toolkit.errors import ClipError
from toolkit.filter_bank import FRAMES as FILTER_BANKS
from toolkit.filter_bank import HOP, RATE, WINDOW, filter_bank_example
from toolkit.status import Status

HEARD = FILTER_BANKS * HOP  # samples, 2.56 s

TINY = replace(tiny("hicmae"), modality="audiovisual", sample_rate=RATE, dim=256)


@register
class HicmaeEncoder(HicmaeFaceEncoder):
    """HiCMAE (Sun et al. 2024): all layers of both, and what each reads from the other; a row is of two pictures.

    To sixteen pictures belongs the sound from the first to one step after the last, by the pictures' times. The release
    counts pictures instead, which is the same while the face is found in every one of them.
    """

    family = "hicmae"
    specs = (TINY,)

    def moments(self, item: Speaker) -> np.ndarray:
        """Returns the seconds of the pictures that are seen.

        Raises:
            ClipError: the face track is empty, or the sound does not fill one filter bank
        """
        times = super().moments(item.face)
        if len(item.sound.samples) < WINDOW:
            raise ClipError(
                Status.TOO_SHORT, f"{len(item.sound.samples)} samples of sound, at least {WINDOW} are needed"
            )
        return times

    def streams(self, item: Speaker, moments: np.ndarray) -> Mapping[str, np.ndarray]:
        """Returns the pictures as ``video``, and the filter banks ``(1, 256, 128)`` of their sound as ``audio``."""
        audio = filter_bank_example(self._heard(item, moments))[None]
        return {"audio": audio, **super().streams(item.face, moments)}

    def _heard(self, item: Speaker, moments: np.ndarray) -> np.ndarray:
        """Returns the sound of some pictures; where they leave next to none, 2.56 s, or all of a shorter one.

        The release refuses a longer sound of which pictures leave next to none.
        """
        first, last = moments[0] * self.step, min((moments[-1] + 1) * self.step, len(item.face.times) - 1)
        start, end = (max(0, round(float(item.face.times[number]) * RATE)) for number in (first, last))
        samples = item.sound.samples
        if len(samples[start:end]) > SHORTEST:
            return samples[start:end]
        start = max(0, min(start, len(samples) - HEARD))
        return samples[start : start + HEARD]

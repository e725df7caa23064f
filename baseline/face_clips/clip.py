"""A clip whose pictures are read one by one, and a source of such clips."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from toolkit.clip_sound import RATE, SHORTEST, sound_of
from toolkit.errors import ClipError, UserError
from toolkit.frame_sampling import Choice
from toolkit.media import read_sound, require_audible
from toolkit.status import Status

logger = logging.getLogger(__name__)


class Clip(ABC):
    """One clip, of which nothing is in memory but the times of its pictures.

    Args:
        name: of the clip
        times: ``(T,)`` seconds from its start, rising; at least one
        sound_file: sound or video file that is heard, ``None`` where the corpus names none
    """

    def __init__(self, name: str, times: np.ndarray, sound_file: Path | None) -> None:
        self.name, self.times, self._sound_file = name, times, sound_file

    def __len__(self) -> int:
        """Returns how many pictures it has."""
        return len(self.times)

    @abstractmethod
    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Returns some pictures, ``(n, H, W, 3)`` uint8 RGB.

        Args:
            numbers: ``(n,)`` integers from 0, at least one, not falling; some may come several times

        Raises:
            ClipError: they cannot be decoded
        """

    @cached_property
    def sound(self) -> np.ndarray:
        """All of its sound, ``(S,)`` float32 at 16 kHz, read at the first use.

        Raises:
            ClipError: ``missing``, ``unreadable``, ``no_audio`` or ``silent``
        """
        if self._sound_file is None:
            raise ClipError(Status.NO_AUDIO, f"{self.name}: the corpus names neither audio nor video")
        return require_audible(read_sound(self._sound_file, rate=RATE), self._sound_file).samples

    def sound_between(self, first: int, last: int) -> np.ndarray:
        """Returns the sound from one picture's time to another's, ``(S,)`` float32 at 16 kHz.

        Raises:
            ClipError: as `sound`
        """
        start, end = (max(0, round(float(self.times[number]) * RATE)) for number in (first, last))
        return self.sound[start:end]

    def sound_with(self, choice: Choice) -> np.ndarray:
        """Returns the sound that goes with pictures, ``(S,)`` float32 at 16 kHz, by their times.

        Where those leave next to nothing, the pictures are taken to be spread evenly over the sound.

        Raises:
            ClipError: as `sound`, or ``too_short``: next to nothing is left either way
        """
        samples = self.sound_between(choice.start, choice.end)
        return samples if len(samples) > SHORTEST else sound_of(choice, len(self), self.sound)


class ClipSource(ABC):
    """Clips of a corpus in a fixed order; it can be sent to other processes, each of which opens files of its own.

    Attributes:
        names: of the clips there are to read, unique
        left_out: by name, what is known not to be readable
    """

    names: Sequence[str]
    left_out: Mapping[str, ClipError]

    def __len__(self) -> int:
        """Returns how many clips there are to read."""
        return len(self.names)

    @abstractmethod
    def open(self, number: int) -> Clip:
        """Returns a clip.

        Args:
            number: from 0, in the order of `names`

        Raises:
            ClipError: it cannot be read
        """


def sound_files(corpus_table: Mapping[str, Sequence[object]], root: Path) -> list[Path | None]:
    """Returns the file that each clip of a corpus is heard in: its ``audio``, or else its ``video``."""
    pairs = zip(corpus_table["audio"], corpus_table["video"], strict=True)
    cells = (audio if isinstance(audio, str) else video for audio, video in pairs)
    return [root / cell if isinstance(cell, str) else None for cell in cells]


def of_one_size(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Returns pictures ``(H, W, 3)`` of one clip as ``(n, H, W, 3)``, all made as large as the first."""
    import cv2

    height, width = pictures[0].shape[:2]
    alike = [
        picture
        if picture.shape[:2] == (height, width)
        else cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        for picture in pictures
    ]
    return np.stack(alike)


@contextmanager
def only_clip_errors(name: str) -> Iterator[None]:
    """Makes a `ClipError` of what libraries raise at an odd file, so that it costs one clip and not the training.

    PyAV for one raises an ``IndexError`` where damage looks like another stream.

    Args:
        name: of the clip, for the log, which has the traceback

    Raises:
        ClipError: that of the body, or ``error``
    """
    try:
        yield
    except (ClipError, UserError):
        raise
    except Exception as error:
        logger.exception("unforeseen error in clip '%s'", name)
        raise ClipError(Status.ERROR, f"{type(error).__name__}: {' '.join(str(error).split())}") from error

"""A clip that lies in a folder, a file for each picture, as DFEW and others are handed out."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from baseline.face_clips.clip import Clip, of_one_size
from toolkit.clip_sound import sound_of
from toolkit.errors import ClipError
from toolkit.frame_sampling import Choice
from toolkit.status import Status

_RATE = 25.0  # pictures per second (Hz); a folder does not say, and its sound is found without


class PictureFolder(Clip):
    """Pictures in the order of their files' names, which are all of the first one's size.

    Args:
        name: of the clip
        path: folder of pictures, or one picture
        sound_file: as in `Clip`

    Raises:
        ClipError: ``missing``, ``unreadable``, or ``no_video``: there is no picture
    """

    suffixes: ClassVar = frozenset({".jpg", ".jpeg", ".png", ".bmp"})

    def __init__(self, name: str, path: Path, sound_file: Path | None) -> None:
        if not path.exists():
            raise ClipError(Status.MISSING, f"{path}: no such file")
        try:
            files = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            raise ClipError(Status.UNREADABLE, f"{path}: {error.strerror}") from error
        self._files = [file for file in files if file.suffix.lower() in self.suffixes]
        if not self._files:
            raise ClipError(Status.NO_VIDEO, f"{path}: no picture ({', '.join(sorted(self.suffixes))}) in it")
        super().__init__(name, np.arange(len(self._files)) / _RATE, sound_file)

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Returns some pictures, as `Clip.pictures`."""
        import cv2

        wanted, places = np.unique(numbers, return_inverse=True)
        pictures: list[np.ndarray] = []
        for number in wanted:
            # Not cv2.imread, which writes a line of its own about what it cannot read.
            try:
                content = np.fromfile(self._files[number], np.uint8)
            except OSError as error:
                raise ClipError(Status.UNREADABLE, f"{self._files[number]}: {error}") from error
            picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
            if picture is None:
                raise ClipError(Status.UNREADABLE, f"{self._files[number]}: no picture")
            pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        return of_one_size(pictures)[places]

    def sound_with(self, choice: Choice) -> np.ndarray:
        """Returns the sound that goes with pictures, all being spread evenly over it, as the authors have it."""
        return sound_of(choice, len(self), self.sound)

"""Face crops out of a cache of ``python -m feature_extraction faces``."""

from pathlib import Path

import numpy as np

from baseline.face_clips.clip import Clip, ClipSource, sound_files
from toolkit.cache import Cache
from toolkit.corpus import Corpus
from toolkit.errors import ClipError, UserError
from toolkit.status import Status


class FaceTrackClip(Clip):
    """The speaker's face in one clip; each crop is a JPEG file of its own in the cache.

    Args:
        cache: of faces
        name: of the clip, which has a face
        sound_file: as in `Clip`
    """

    def __init__(self, cache: Cache, name: str, sound_file: Path | None) -> None:
        super().__init__(name, np.asarray(cache.ragged("frames/time", name)), sound_file)
        self._cache = cache

    def pictures(self, numbers: np.ndarray) -> np.ndarray:
        """Returns some crops, as `Clip.pictures`; no other crop's bytes are read."""
        import cv2

        row = self._cache.index[self.name]
        start = int(self._cache.offset("jpeg/bytes")[row])
        ends = start + np.cumsum(self._cache.ragged("frames/size", self.name))
        begins = np.concatenate([[start], ends[:-1]])
        wanted, places = np.unique(numbers, return_inverse=True)
        crops = []
        for number in wanted:
            file = self._cache.file.read("jpeg/bytes", int(begins[number]), int(ends[number]))
            crop = cv2.imdecode(file, cv2.IMREAD_COLOR) if len(file) else None
            if crop is None:
                raise ClipError(Status.UNREADABLE, f"{self._cache.path}: crop {number} of '{self.name}' is no JPEG")
            crops.append(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB))
        return np.stack(crops)[places]


class FaceCache(ClipSource):
    """The faces of a corpus.

    Args:
        corpus: the clips
        path: of the cache

    Raises:
        UserError: there is no such cache, or it lacks a clip of the corpus
    """

    def __init__(self, corpus: Corpus, path: Path) -> None:
        if not path.is_file():
            raise UserError(
                f"No faces at {path}. Make them with `python -m feature_extraction faces --corpus REF --encoder "
                f"{path.stem} --cache DIR`, or read the video files (--source video)."
            )
        self.cache = Cache(path)
        self._sound_files: list[Path | None] = []
        self.names, self.left_out = [], {}
        heard = sound_files(corpus.table, corpus.root)
        for name, file in zip(corpus.table["name"], heard, strict=True):
            if name not in self.cache:
                raise UserError(f"{path} has no clip '{name}'. Run the extraction of faces again; it adds the rest.")
            row = self.cache.index[name]
            if self.cache.status[row] != Status.OK:
                self.left_out[name] = ClipError(Status(self.cache.status[row]), self.cache.reason[row])
                continue
            self.names.append(name)
            self._sound_files.append(file)

    def open(self, number: int) -> FaceTrackClip:
        """Returns a clip, as `ClipSource.open`."""
        return FaceTrackClip(self.cache, self.names[number], self._sound_files[number])

"""What an encoder is given: sound, face crops or words, read from a corpus one clip at a time."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from feature_extraction.spec import EncoderSpec
from toolkit.cache import Cache
from toolkit.errors import ClipError
from toolkit.media import Sound, read_sounds, require_audible
from toolkit.status import Status

if TYPE_CHECKING:
    from feature_extraction.faces.track import FaceTrack

Row = dict[str, Any]  # one row of the corpus table


class Speaker(NamedTuple):
    """What is seen and heard of the speaker in one clip.

    Attributes:
        face: the face track
        sound: of the whole clip
    """

    face: "FaceTrack"
    sound: Sound


class Source(ABC):
    """Reads what one modality needs of a clip, and says how much it is.

    Attributes:
        budget: how much one batch may hold at most, in the unit of `size`
        segment_clips: clips written to one segment file. A killed run loses at most that many per process. Fixed,
            because clips are batched within a segment only: a resumed run must form the very batches of an
            uninterrupted one to be equal to it bit for bit.
    """

    budget: float
    segment_clips: int = 32

    @abstractmethod
    def load(self, row: Row) -> Any:
        """Returns a clip's material.

        Raises:
            ClipError: there is none that can be used
        """

    @abstractmethod
    def size(self, item: Any) -> float:
        """Returns how much material that is, the measure of batches."""

    def view(self, item: Any, spec: EncoderSpec) -> Any:
        """Returns what one encoder is given of the material that several share."""
        return item


class SoundSource(Source):
    """The sound of the audio file if a clip has one, of its video otherwise.

    Args:
        root: folder of the corpus
        rates: sample rates in Hz
    """

    budget = 120.0  # seconds

    def __init__(self, root: Path, rates: Sequence[int]) -> None:
        self.root = root
        self.rates = sorted(set(rates))

    def load(self, row: Row) -> dict[int, Sound]:
        """Returns the clip's sound at each rate, decoded once."""
        file = row["video"] if pd.isna(row["audio"]) else row["audio"]
        if pd.isna(file):
            raise ClipError(Status.NO_AUDIO, "the corpus names neither an audio nor a video file")
        path = self.root / str(file)
        sounds = read_sounds(path, rates=self.rates)
        require_audible(sounds[self.rates[0]], path)
        return sounds

    def size(self, item: dict[int, Sound]) -> float:
        """Returns seconds."""
        return item[self.rates[0]].seconds

    def view(self, item: dict[int, Sound], spec: EncoderSpec) -> Sound:
        """Returns the sound at the encoder's rate."""
        return item[spec.sample_rate]


class FaceSource(Source):
    """The crops in a faces cache.

    Args:
        path: the cache file
    """

    budget = 512.0  # crops

    def __init__(self, path: Path) -> None:
        self.path = path
        self._cache: Cache | None = None

    def load(self, row: Row) -> "FaceTrack":
        """Returns the face track of the clip."""
        from feature_extraction.faces.store import read_track

        if self._cache is None:
            self._cache = Cache(self.path)
        return read_track(self._cache, row["name"])

    def size(self, item: "FaceTrack") -> float:
        """Returns the number of crops."""
        return len(item.times)


class SpeakerSource(Source):
    """The crops in a faces cache, and the sound that `SoundSource` gives.

    Args:
        path: the cache file
        root: folder of the corpus
        rates: sample rates in Hz
    """

    budget = FaceSource.budget

    def __init__(self, path: Path, root: Path, rates: Sequence[int]) -> None:
        self._faces, self._sounds = FaceSource(path), SoundSource(root, rates)

    def load(self, row: Row) -> tuple["FaceTrack", dict[int, Sound]]:
        """Returns the face track and the sound at each rate."""
        return self._faces.load(row), self._sounds.load(row)

    def size(self, item: tuple["FaceTrack", dict[int, Sound]]) -> float:
        """Returns the number of crops."""
        return self._faces.size(item[0])

    def view(self, item: tuple["FaceTrack", dict[int, Sound]], spec: EncoderSpec) -> Speaker:
        """Returns the face with the sound at the encoder's rate."""
        return Speaker(item[0], self._sounds.view(item[1], spec))


class TextSource(Source):
    """One column of the corpus table.

    Args:
        column: its name
    """

    budget = 16384.0  # characters
    segment_clips = 256

    def __init__(self, column: str) -> None:
        self.column = column

    def load(self, row: Row) -> str:
        """Returns the transcript without blanks around it."""
        text = row.get(self.column)
        if pd.isna(text):
            raise ClipError(Status.EMPTY_TEXT, f"no transcript in column '{self.column}'")
        if not str(text).strip():
            raise ClipError(Status.EMPTY_TEXT, f"only blanks in column '{self.column}'")
        return str(text).strip()

    def size(self, item: str) -> float:
        """Returns the number of characters."""
        return len(item)


class VideoSource(Source):
    """The path of a clip's video; the face detector decodes it itself, frame by frame.

    Args:
        root: folder of the corpus
    """

    budget = 1.0  # clips
    segment_clips = 16

    def __init__(self, root: Path) -> None:
        self.root = root

    def load(self, row: Row) -> Path:
        """Returns the path of the video."""
        if pd.isna(row["video"]):
            raise ClipError(Status.NO_VIDEO, "the corpus names no video file")
        return self.root / str(row["video"])

    def size(self, item: Path) -> float:
        """Returns one."""
        return 1.0


def source_of(specs: Sequence[EncoderSpec], root: Path, faces: Path | None) -> Source:
    """Returns the source of encoders that share their material.

    Args:
        specs: encoders of one modality; visual ones of the same faces, text ones of the same column
        root: folder of the corpus
        faces: the faces cache, for visual and audiovisual encoders
    """
    if specs[0].modality == "audio":
        return SoundSource(root, [spec.sample_rate for spec in specs])
    if specs[0].modality == "audiovisual":
        return SpeakerSource(faces, root, [spec.sample_rate for spec in specs])
    if specs[0].modality == "text":
        return TextSource(specs[0].column)
    return FaceSource(faces)

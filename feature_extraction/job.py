"""One cache to be made: where it stands, what it is made of, and how clips become its records."""

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from feature_extraction.encoder import Encoder, EncoderSpec, FrameFeatures, Level, build_encoder
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.identity import Identified
from feature_extraction.source import Source, VideoSource, source_of
from toolkit.cache import Header, Record, cache_path
from toolkit.corpus import Corpus
from toolkit.errors import ClipError
from toolkit.status import Status


class Job(ABC):
    """A cache to be made; it travels to worker processes, so it holds names and paths and builds the rest there.

    Attributes:
        modality: ``audio``, ``visual``, ``text`` or ``faces``
        name: name of the encoder or detector
        path: the cache file
        header: attributes of the cache file
        source: what is read of each clip
    """

    modality: str
    name: str
    path: Path
    header: Header
    source: Source

    @abstractmethod
    def prepare(self) -> None:
        """Builds what encodes, once per process, so that what goes wrong there is not taken for a clip's fault.

        Raises:
            UserError: something is not installed, or there is no such device
        """

    @abstractmethod
    def encode(self, batch: list[tuple[str, Any]]) -> list[Record]:
        """Returns the records of a batch of clip names with their material."""


def _header(corpus: Corpus, spec: Identified) -> Header:
    return Header(corpus.name, spec.to_json(), spec.identity, root=str(corpus.root.resolve()))


class FeatureJob(Job):
    """The features of one encoder.

    Args:
        corpus: the clips
        spec: the encoder
        root: folder of all caches
        level: ``utterance`` keeps a vector per clip, ``frame`` the frames too
        device: torch device
    """

    def __init__(self, corpus: Corpus, spec: EncoderSpec, root: Path, *, level: Level, device: str) -> None:
        self.modality = spec.modality
        self.name = spec.name
        self.spec = spec
        self.level = level
        self.device = device
        self.path = cache_path(root, corpus.name, spec.modality, spec.name, level)
        self.header = _header(corpus, spec)
        faces = cache_path(root, corpus.name, "faces", spec.faces.name) if spec.faces else None
        self.source = source_of(spec, corpus.root, faces)

    @cached_property
    def _encoder(self) -> Encoder:
        return build_encoder(self.spec, device=self.device, level=self.level)

    def prepare(self) -> None:
        """Builds the encoder."""
        _ = self._encoder

    def encode(self, batch: list[tuple[str, Any]]) -> list[Record]:
        """Returns the features of a batch."""
        results = self._encoder.encode([item for _, item in batch])
        return [feature_record(name, result, self.level) for (name, _), result in zip(batch, results, strict=True)]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_encoder"}


def feature_record(name: str, result: FrameFeatures | ClipError, level: Level) -> Record:
    """Returns the record of one clip; the utterance vector is the mean of the frames unless the family has its own.

    Args:
        name: clip name
        result: frames ``(T, D)``, or what went wrong
        level: ``frame`` keeps the frames too
    """
    if isinstance(result, ClipError):
        return Record(name, result.status, result.reason)
    utterance = result.utterance
    if utterance is None:
        if len(result.values) == 0:
            return Record(name, Status.TOO_SHORT, "the encoder gave no frames")
        utterance = result.values.mean(axis=0, dtype=np.float64)
    if not (np.isfinite(utterance).all() and np.isfinite(result.values).all()):
        return Record(name, Status.NOT_FINITE, "the encoder gave NaN or infinity")
    row = {"utterance": utterance.astype(np.float32)}
    if level == "utterance":
        return Record(name, row=row)
    frames = {"frames/values": result.values.astype(np.float32), "frames/time": result.times.astype(np.float64)}
    return Record(name, row=row, ragged=frames)


class FaceJob(Job):
    """The face crops of a corpus.

    Args:
        corpus: the clips
        spec: how faces are found and cut out
        root: folder of all caches
        device: torch device
    """

    modality = "faces"

    def __init__(self, corpus: Corpus, spec: FaceSpec, root: Path, *, device: str) -> None:
        self.name = spec.name
        self.spec = spec
        self.device = device
        self.path = cache_path(root, corpus.name, "faces", spec.name)
        self.header = _header(corpus, spec)
        self.source = VideoSource(corpus.root)

    @cached_property
    def _extractor(self) -> Any:
        from feature_extraction.faces.extractor import FaceExtractor
        from toolkit.device import resolve_device

        return FaceExtractor(self.spec, device=resolve_device(self.device))

    def prepare(self) -> None:
        """Builds the face extractor."""
        _ = self._extractor

    def encode(self, batch: list[tuple[str, Path]]) -> list[Record]:
        """Returns the tracks of a batch; a clip that cannot be decoded becomes a failed record."""
        from feature_extraction.faces.store import to_record

        records = []
        for name, path in batch:
            try:
                records.append(to_record(name, self._extractor.extract(path), self.spec.quality))
            except ClipError as error:
                records.append(Record(name, error.status, error.reason))
        return records

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_extractor"}

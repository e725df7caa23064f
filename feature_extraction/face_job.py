"""The face crops of one corpus."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from feature_extraction.faces.spec import FaceSpec
from feature_extraction.job import Job, Target, header_of
from feature_extraction.source import Source
from toolkit.cache import Record, cache_path
from toolkit.corpus import Corpus
from toolkit.device import must_fit, resolve_device
from toolkit.errors import ClipError

if TYPE_CHECKING:
    from feature_extraction.faces.extractor import FaceExtractor
    from feature_extraction.faces.reel import KeptTrack

_ADVICE = "Each of the --workers takes memory of it: take fewer, or --device cpu."


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
        self.targets = [Target(cache_path(root, corpus.name, "faces", spec.name), header_of(corpus, spec))]

    def build(self) -> "FaceExtractor":
        """Returns the face extractor."""
        from feature_extraction.faces.extractor import FaceExtractor

        device = resolve_device(self.device)
        with must_fit(f"'{self.name}'", device, _ADVICE):
            return FaceExtractor(self.spec, device=device)

    def encode(self, items: Sequence[Path], source: Source) -> "list[KeptTrack | ClipError]":
        """Returns the tracks of a batch of video files."""
        return [self._track(path) for path in items]

    def _track(self, path: Path) -> "KeptTrack | ClipError":
        try:
            with must_fit(f"'{self.name}'", self.device, _ADVICE):  # which is no clip's fault
                return self.encoder.extract(path)
        except ClipError as error:
            return error

    def record(self, name: str, result: "KeptTrack", target: Target) -> Record:
        """Returns the record of one track."""
        from feature_extraction.faces.store import to_record

        return to_record(name, result)

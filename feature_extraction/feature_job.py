"""An encoder's features of one corpus, at one level of detail or at both."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extraction.encoder import Encoder, FrameFeatures, build_encoder, encoders
from feature_extraction.job import Job, Target, header_of
from feature_extraction.source import Source
from feature_extraction.spec import EncoderSpec, Level
from toolkit.blocks import blocks
from toolkit.cache import Record, cache_path
from toolkit.corpus import Corpus
from toolkit.errors import ClipError, UserError
from toolkit.status import Status


class FeatureJob(Job):
    """The features of one encoder.

    Args:
        corpus: the clips
        spec: the encoder
        root: folder of all caches
        levels: ``utterance`` keeps a vector per clip, ``frame`` the frames too; both cost one forward
        device: torch device
        trusted: checkpoints whose own code may run, by name
    """

    def __init__(
        self,
        corpus: Corpus,
        spec: EncoderSpec,
        root: Path,
        *,
        levels: Sequence[Level],
        device: str,
        trusted: Collection[str],
    ) -> None:
        self.modality = spec.modality
        self.name = spec.name
        self.spec = spec
        self.device = device
        self.trusted = frozenset(trusted)
        self.alone = encoders.get(spec.family).alone
        header = header_of(corpus, spec)
        self.targets = [
            Target(cache_path(root, corpus.name, spec.modality, spec.name, level), header, level) for level in levels
        ]

    def build(self) -> Encoder:
        """Returns the encoder."""
        frames = any(target.level == "frame" for target in self.targets)
        level: Level = "frame" if frames else "utterance"
        return build_encoder(self.spec, device=self.device, level=level, trusted=self.trusted)

    def encode(self, items: Sequence[Any], source: Source) -> list[FrameFeatures | ClipError]:
        """Returns the features of a batch."""
        return self.encoder.encode([source.view(item, self.spec) for item in items])

    def record(self, name: str, result: FrameFeatures, target: Target) -> Record:
        """Returns the record of one clip.

        Raises:
            UserError: the vectors are not as wide as the spec says
        """
        record = feature_record(name, result, target.level)
        width = expected_width(self.spec)
        if width is not None and record.row and len(record.row["utterance"]) != width:
            raise UserError(
                f"'{self.name}' gives {len(record.row['utterance'])} numbers per clip, its spec says {width}: "
                f"{self.spec.checkpoint} is not the checkpoint it was written for."
            )
        return record


def expected_width(spec: EncoderSpec) -> int | None:
    """Returns the numbers per clip that a spec promises, ``None`` where it promises nothing."""
    if spec.dim is None or spec.combine != "keep":
        return spec.dim
    return spec.dim * len(spec.layers) if spec.layers else None


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
    # Block by block, and by sums, because hours of frames should not need memory of their size.
    finite = all(np.isfinite(block.sum(dtype=np.float64)) for block in blocks(result.values))
    if not (finite and np.isfinite(utterance).all()):
        return Record(name, Status.NOT_FINITE, "the encoder gave NaN or infinity")
    row = {"utterance": utterance.astype(np.float32)}
    if level == "utterance":
        return Record(name, row=row)
    values = result.values.astype(np.float32, copy=False)
    return Record(name, row=row, ragged={"frames/values": values, "frames/time": result.times.astype(np.float64)})

"""What an encoder is: a frozen spec plus a function from clips to frame features."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from feature_extraction.faces.spec import FaceSpec
from feature_extraction.identity import Identified
from toolkit.errors import ClipError, UserError, did_you_mean
from toolkit.registry import Registry

Level = Literal["utterance", "frame"]
Modality = Literal["audio", "visual", "text"]
MODALITIES: tuple[Modality, ...] = ("audio", "text", "visual")


@dataclass(frozen=True, kw_only=True)
class EncoderSpec(Identified):
    """Everything that changes an encoder's numbers, and nothing that does not.

    Attributes:
        name: name on the command line and of the cache file
        modality: what it listens to, looks at or reads
        family: name of the `Encoder` class that runs it
        checkpoint: ``builtin``, ``hf:ORG/NAME``, ``hf:FOLDER`` or ``local:FILE``
        revision: version of the checkpoint, or of the algorithm where it is built in
        licence: licence of the model, as its authors name it
        layers: hidden layers used, counted from the end when negative; empty where there are none
        combine: how layers become one
        pooling: how frames become one utterance vector; ``own`` where the family has functionals of its own
        sample_rate: sound rate in Hz, audio only
        frame_rate: frames per second taken from a video, ``None`` for every frame there is
        input_size: height and width of a picture in pixels, visual only
        faces: how the face crops are made, visual only
        column: column of the corpus table that is read, text only
        options: what else the family needs to know, as pairs sorted by name
    """

    name: str
    modality: Modality
    family: str
    checkpoint: str = "builtin"
    revision: str = "1"
    licence: str = "Apache-2.0"
    layers: tuple[int, ...] = ()
    combine: str = "mean"
    pooling: str = "mean"
    sample_rate: int | None = None
    frame_rate: float | None = None
    input_size: int | None = None
    faces: FaceSpec | None = None
    column: str | None = None
    options: tuple[tuple[str, Any], ...] = ()


class FrameFeatures(NamedTuple):
    """Features of one clip, padding removed.

    Attributes:
        values: ``(T, D)`` float32
        times: ``(T,)`` seconds from the clip's start (the middle of what a frame saw); for text ``(T, 2)``
            the first character and the one after the last
        utterance: ``(D',)`` the family's own summary of the clip, ``None`` for the mean of the frames
    """

    values: np.ndarray
    times: np.ndarray
    utterance: np.ndarray | None = None


class Encoder(ABC):
    """A family of encoders; one instance runs one spec on one device.

    What it is given is, by modality: ``toolkit.media.Sound`` at ``spec.sample_rate``, ``faces.track.FaceTrack``,
    or ``str``. What must not change the numbers (device, batch, workers) comes beside the spec.

    Attributes:
        family: name the specs refer to
        specs: named specs of the family

    Args:
        spec: what to compute
        device: as the user typed it, ``auto`` among others; families with a network ask `toolkit.device.resolve_device`
            for it, the others ignore it
        level: families with functionals may skip the frames at ``utterance`` level
    """

    family: ClassVar[str]
    specs: ClassVar[tuple[EncoderSpec, ...]]

    def __init__(self, spec: EncoderSpec, *, device: str = "cpu", level: Level = "utterance") -> None:
        self.spec = spec
        self.device = device
        self.level = level

    @abstractmethod
    def encode(self, batch: Sequence[Any]) -> list[FrameFeatures | ClipError]:
        """Returns the features of each clip, the same whatever else is in the batch.

        Args:
            batch: clips as described above

        Returns:
            one entry per clip; a clip that cannot be encoded (too short, say) is a `ClipError`, returned, not raised
        """


encoders: Registry[type[Encoder]] = Registry(
    "encoder family", "feature_extraction.audio", "feature_extraction.visual", "feature_extraction.text"
)


def register(encoder: type[Encoder]) -> type[Encoder]:
    """Files an encoder class under its ``family``; use as a decorator."""
    return encoders.add(encoder.family)(encoder)


def all_specs(modality: Modality | None = None) -> dict[str, EncoderSpec]:
    """Returns every named spec, of one modality or of all, by name.

    Raises:
        ValueError: two specs have the same name
    """
    specs: dict[str, EncoderSpec] = {}
    for family in encoders.names():
        for spec in encoders.get(family).specs:
            if specs.setdefault(spec.name, spec) is not spec:
                raise ValueError(f"families {specs[spec.name].family} and {family} both have a spec '{spec.name}'")
    return {name: specs[name] for name in sorted(specs) if modality in (None, specs[name].modality)}


def get_spec(name: str, modality: Modality) -> EncoderSpec:
    """Returns the spec of that name.

    Raises:
        UserError: no encoder of the modality has the name
    """
    specs = all_specs(modality)
    if name not in specs:
        raise UserError(f"Unknown {modality} encoder '{name}'. {did_you_mean(name, specs)}")
    return specs[name]


def build_encoder(spec: EncoderSpec, *, device: str = "cpu", level: Level = "utterance") -> Encoder:
    """Returns an encoder ready to run ``spec``."""
    return encoders.get(spec.family)(spec, device=device, level=level)

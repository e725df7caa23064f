"""What an encoder is: a spec plus a function from clips to frame features; and the registry of all of them."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from feature_extraction.spec import MODALITIES, EncoderSpec, Level, Modality
from toolkit.errors import ClipError, UserError, did_you_mean
from toolkit.registry import Registry


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
    ``source.Speaker``, which is both, or ``str``. What must not change the numbers (device, batch, workers) comes
    beside the spec.

    Attributes:
        family: name the specs refer to
        specs: named specs of the family
        alone: whether one instance uses the whole device, so that processes side by side would only be in each other's
            way; true for large networks
        has_layers: whether ``spec.layers`` and ``spec.combine`` choose among hidden layers
        hub: model types of ``hf:`` checkpoints (``model_type`` in their config.json) that the family runs, with the
            settings they get, written as in the catalogue
        from_file: settings of a checkpoint file that the user names (``FAMILY:FILE``), written as in the catalogue;
            ``None`` where the family takes none

    Args:
        spec: what to compute
        device: as the user typed it, ``auto`` among others; families with a network ask `toolkit.device.resolve_device`
            for it, the others ignore it
        level: at ``utterance`` level families may leave out the frames and give ``utterance`` only
        trusted: checkpoints whose own code may run, by name
    """

    family: ClassVar[str]
    specs: ClassVar[tuple[EncoderSpec, ...]]
    alone: ClassVar[bool] = False
    has_layers: ClassVar[bool] = False
    hub: ClassVar[Mapping[str, str]] = {}
    from_file: ClassVar[str | None] = None

    def __init__(
        self, spec: EncoderSpec, *, device: str = "cpu", level: Level = "utterance", trusted: Collection[str] = ()
    ) -> None:
        self.spec = spec
        self.device = device
        self.level = level
        self.trusted = frozenset(trusted)

    @abstractmethod
    def encode(self, batch: Sequence[Any]) -> list[FrameFeatures | ClipError]:
        """Returns the features of each clip, the same whatever else is in the batch.

        Args:
            batch: clips as described above

        Returns:
            one entry per clip; a clip that cannot be encoded (too short, say) is a `ClipError`, returned, not raised
        """


encoders: Registry[type[Encoder]] = Registry(
    "encoder family",
    *(f"feature_extraction.{room}" for room in MODALITIES),
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
        other = all_specs().get(name)
        hint = f"The {other.modality} command runs it." if other else did_you_mean(name, specs)
        raise UserError(f"Unknown {modality} encoder '{name}'. {hint}")
    return specs[name]


def build_encoder(
    spec: EncoderSpec, *, device: str = "cpu", level: Level = "utterance", trusted: Collection[str] = ()
) -> Encoder:
    """Returns an encoder ready to run ``spec``; arguments as in `Encoder`.

    Raises:
        UserError: a package or a checkpoint is missing, or there is no such device
    """
    return encoders.get(spec.family)(spec, device=device, level=level, trusted=trusted)

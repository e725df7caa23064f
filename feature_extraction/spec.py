"""What there is to know of an encoder before it is built: a frozen spec, whose hash is the identity of its caches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from feature_extraction.faces.spec import FaceSpec
from feature_extraction.identity import Identified

Level = Literal["utterance", "frame"]
Modality = Literal["audio", "audiovisual", "text", "visual"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, kw_only=True)
class EncoderSpec(Identified):
    """Everything that changes an encoder's numbers, and what its users want to know of it besides.

    Attributes:
        name: name on the command line and of the cache file
        modality: what it listens to, looks at or reads; ``audiovisual`` for face and sound at once
        family: name of the `Encoder` class that runs it
        checkpoint: ``builtin``; ``tiny``, random weights made on the spot; ``hf:ORG/NAME`` or ``hf:FOLDER``;
            ``local:FILE``, a file of the folder of weights; ``file:FILE``, any file
        revision: version of the checkpoint, or of the algorithm where it is built in
        layers: hidden layers used, 0 for the network's embeddings, counted from the end when negative; empty where
            there is no choice
        combine: how layers become one: ``sum``, ``mean``, or ``keep`` for all of them side by side
        pooling: how frames become one utterance vector; ``own`` where the family has functionals of its own
        precision: number type the network computes in; features are float32 always
        sample_rate: sound rate in Hz, audio and audiovisual only
        frame_rate: frames per second taken from a video, ``None`` for every frame there is
        input_size: height and width of a picture in pixels, visual only
        faces: how the face crops are made, visual and audiovisual only
        column: column of the corpus table that is read, text only
        options: what else the family needs to know, as pairs sorted by name
        dim: numbers per frame ``D``; does not count for the identity, like the fields after it
        licence: licence of the model, as its authors name it
        remote_code: whether the checkpoint brings code of its own, which runs only if the user trusts it by name
        source: where a ``local:`` file is to be had
    """

    name: str
    modality: Modality
    family: str
    checkpoint: str = "builtin"
    revision: str = "1"
    layers: tuple[int, ...] = ()
    combine: str = "mean"
    pooling: str = "mean"
    precision: Precision = "float32"
    sample_rate: int | None = None
    frame_rate: float | None = None
    input_size: int | None = None
    faces: FaceSpec | None = None
    column: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    dim: int | None = None
    licence: str = "Apache-2.0"
    remote_code: bool = False
    source: str = ""

    def option(self, name: str, default: Any = None) -> Any:
        """Returns one of the options."""
        return dict(self.options).get(name, default)

    def facts(self) -> dict[str, Any]:
        """Returns the fields; of a checkpoint in a folder or a file its name only: ``revision`` has its content."""
        kind, _, place = self.checkpoint.partition(":")
        is_here = kind in ("hf", "file") and Path(place).is_absolute()
        return super().facts() | ({"checkpoint": f"{kind}:{Path(place).name}"} if is_here else {})

    @property
    def is_tiny(self) -> bool:
        """Whether the weights are random, made on the spot."""
        return self.checkpoint == "tiny"

"""Everything about faces that changes the crops, and so the numbers of every encoder that looks at them."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FaceSpec:
    """How faces are found and cut out.

    Attributes:
        name: name on the command line and of the faces cache
        detector: ``mtcnn``, ``facenet`` or ``openface``
        frame_rate: frames per second looked at, ``None`` for every frame there is
        every: the detector runs on every k-th of these frames, the track is carried between
        min_face: smallest face in pixels, of its shorter side
        crop_size: height and width of the aligned crop in pixels
        quality: JPEG quality of the kept crops, 1 to 100
        licence: licence of the detector's weights
        revision: raised when the algorithm changes its crops
    """

    name: str = "mtcnn"
    detector: str = "mtcnn"
    frame_rate: float | None = 10.0
    every: int = 5
    min_face: int = 40
    crop_size: int = 112
    quality: int = 95
    licence: str = "MIT"
    revision: str = "1"

    def to_json(self) -> str:
        """Returns the spec as JSON with sorted keys."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @property
    def identity(self) -> str:
        """A hash of everything but the licence."""
        facts = dataclasses.asdict(self)
        del facts["licence"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

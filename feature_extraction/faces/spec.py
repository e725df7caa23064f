"""Everything about faces that changes the crops, and so the numbers of every encoder that looks at them."""

from dataclasses import dataclass, replace

from feature_extraction.identity import Identified
from toolkit.errors import UserError, did_you_mean


@dataclass(frozen=True, kw_only=True)
class FaceSpec(Identified):
    """How faces are found and cut out.

    Attributes:
        name: name on the command line and of the faces cache
        detector: ``mtcnn``, ``facenet``, ``openface``, ``organisers``, or ``frames`` for whole frames
        frame_rate: frames per second looked at, ``None`` for every frame there is
        every: the detector searches every k-th of these frames; between two that show the same faces, it only
            confirms each face at its interpolated place
        min_face: face size in pixels at which the search begins; the detector still finds some faces half that size
        search_side: frames whose shorter side is longer than this are first searched shrunk to it (where ``min_face``
            counts in the shrunk frame); only where that finds no face the whole frame is searched
        max_faces: largest faces followed in one frame
        min_overlap: intersection over union from which two boxes are the same face, a moment later
        max_gap: seconds a face may be away and still count as the same
        min_likeness: correlation of consecutive frames, made very small, below which a cut is assumed; no face is
            followed over a cut
        min_frames: frames (or all, if the clip has fewer) in which the speaker's face must be found with
            ``min_probability``, so that a pattern in a picture is not taken for a face
        min_probability: face probability asked in those frames
        crop_size: height and width of the aligned crop in pixels; of a whole frame, the most its shorter side may have
        quality: JPEG quality of the kept crops, 1 to 100
        licence: licence of the detector's weights
        revision: raised when the algorithm changes its crops
    """

    name: str = "mtcnn"
    detector: str = "mtcnn"
    frame_rate: float | None = 10.0
    every: int = 5
    min_face: int = 40
    search_side: int = 360
    max_faces: int = 4
    min_overlap: float = 0.3
    max_gap: float = 1.0
    min_likeness: float = 0.35
    min_frames: int = 3
    min_probability: float = 0.9
    crop_size: int = 112
    quality: int = 95
    licence: str = "MIT"
    revision: str = "1"


_OPENFACE_LICENCE = "OpenFace 2: academic or non-profit, non-commercial research only"
_OPENFACE = FaceSpec(name="openface", detector="openface", frame_rate=None, every=1, licence=_OPENFACE_LICENCE)

face_specs: dict[str, FaceSpec] = {
    spec.name: spec
    for spec in (
        FaceSpec(),
        FaceSpec(name="mtcnn-every", frame_rate=None, every=1),
        FaceSpec(name="facenet", detector="facenet"),
        _OPENFACE,
        replace(_OPENFACE, name="organisers", detector="organisers"),
        FaceSpec(name="frames", detector="frames", every=1, crop_size=256, quality=90, licence="Apache-2.0"),
    )
}


def get_face_spec(name: str) -> FaceSpec:
    """Returns the named spec.

    Raises:
        UserError: no spec has the name; the message gives the nearest
    """
    if name not in face_specs:
        raise UserError(f"Unknown face spec '{name}'. {did_you_mean(name, face_specs)}")
    return face_specs[name]

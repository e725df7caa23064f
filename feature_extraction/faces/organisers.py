"""Face crops as the organisers of the MER challenges hand them out: ``openface_face/NAME/NAME.npy``.

Made by them with OpenFace 2 at its defaults: one aligned, masked 112 x 112 picture per frame of the video.
"""

from pathlib import Path

import numpy as np

from feature_extraction.faces.detect import ClipDetector, detectors
from feature_extraction.faces.reel import KeptTrack, keep
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.track import FaceTrack
from toolkit.errors import ClipError
from toolkit.status import Status

FOLDER = "openface_face"
FRAME_RATE = 25.0  # of the challenges' videos, frames per second; the files do not say


def read_organisers(path: Path, *, frame_rate: float = FRAME_RATE) -> FaceTrack:
    """Reads one file of crops.

    The files hold pictures and nothing else, so boxes, points and probabilities are NaN, and times are counted from
    the frame rate as if no frame were missing. The crops are mapped from the file.

    Args:
        path: ``NAME.npy``, uint8 ``(T, S, S, 3)`` BGR; float64 of shape ``(0,)`` where no face was found
        frame_rate: of the video, frames per second

    Raises:
        ClipError: ``missing``, ``unreadable`` or ``no_face``
    """
    if not path.is_file():
        raise ClipError(Status.MISSING, f"{path}: no such file")
    try:
        pictures = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ClipError(Status.UNREADABLE, f"{path}: {error}") from error
    if pictures.size == 0:
        raise ClipError(Status.NO_FACE, f"{path}: no pictures in it")
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        found = f"{pictures.dtype} {pictures.shape}"
        raise ClipError(Status.UNREADABLE, f"{path}: expected uint8 pictures (T, S, S, 3), got {found}")
    count = len(pictures)
    return FaceTrack(
        crops=pictures[..., ::-1],
        times=np.arange(count) / frame_rate,
        boxes=np.full((count, 4), np.nan, dtype=np.float32),
        points=np.full((count, 5, 2), np.nan, dtype=np.float32),
        probabilities=np.full(count, np.nan, dtype=np.float32),
    )


@detectors.add("organisers")
class Organisers(ClipDetector):
    """Takes the organisers' crops instead of looking at the video.

    Args:
        spec: ``crop_size`` and ``quality`` are used here
        device: ignored
        weights: the folder ``openface_face``; ``None`` where it lies beside the folder of the videos
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        self.spec = spec
        self.folder = weights

    def extract(self, path: Path) -> KeptTrack:
        """Returns the crops of ``.../video/NAME.mp4`` from ``.../openface_face/NAME/NAME.npy``.

        Raises:
            ClipError: see `read_organisers`; ``unreadable`` also where the crops have another size than the spec's
        """
        path = Path(path)
        file = (self.folder or path.parent.parent / FOLDER) / path.stem / f"{path.stem}.npy"
        track = read_organisers(file)
        size = self.spec.crop_size
        if track.crops.shape[1:3] != (size, size):
            found = "x".join(map(str, track.crops.shape[1:3]))
            raise ClipError(Status.UNREADABLE, f"{file}: crops of {found} pixels, expected {size}x{size}")
        return keep(track, self.spec.quality)

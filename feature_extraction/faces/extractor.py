"""The speaker's face out of a video file."""

from pathlib import Path

from feature_extraction.faces.detect import ClipDetector, detectors
from feature_extraction.faces.film import Film
from feature_extraction.faces.reel import KeptTrack
from feature_extraction.faces.search import Searcher
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.track import Tracker
from toolkit.errors import ClipError
from toolkit.status import Status


class FaceExtractor:
    """Finds, follows and cuts out the speaker's face; what it is given besides the spec does not change the crops.

    Args:
        spec: how
        device: torch device
        weights: folder of weight files for the detector, or path of its program; ``None`` for the installed one

    Raises:
        UserError: unknown detector, or one that is not installed
    """

    def __init__(self, spec: FaceSpec, *, device: str = "cpu", weights: Path | None = None) -> None:
        self.spec = spec
        self._detector = detectors.get(spec.detector)(spec, device=device, weights=weights)

    def extract(self, clip: Path | Film) -> KeptTrack:
        """Returns the speaker's face in one clip.

        Frames pass through in chunks of bounded size; only crops are kept, as JPEG.

        Args:
            clip: video file, or what `open_clip` made of it

        Raises:
            ClipError: ``no_face``; ``missing``, ``unreadable`` or ``no_video`` as `toolkit.media.iterate_frames`
        """
        if isinstance(self._detector, ClipDetector):
            return self._detector.extract(clip)
        film = clip if isinstance(clip, Film) else Film(clip, self.spec)
        tracker = Tracker(self.spec)
        for frame, faces in Searcher(self.spec, self._detector).run(film):
            tracker.add(frame, faces)
        track = tracker.speaker()
        if track is None:
            raise ClipError(Status.NO_FACE, f"{film.path}: no face in {tracker.frames} frames")
        return track


def open_clip(path: Path, spec: FaceSpec) -> Path | Film:
    """Returns a clip as `FaceExtractor.extract` takes it, decoded a good way already where it can be.

    A thread that does this while the clip before is being searched takes decoding off the extractor's hands.

    Args:
        path: video file
        spec: how faces are found

    Raises:
        ClipError: see `Film`
        UserError: unknown detector
    """
    return path if issubclass(detectors.get(spec.detector), ClipDetector) else Film(path, spec)

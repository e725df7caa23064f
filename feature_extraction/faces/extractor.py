"""The speaker's face out of a video file."""

from pathlib import Path

from feature_extraction.faces.detect import ClipDetector, detectors
from feature_extraction.faces.search import Searcher
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.faces.track import FaceTrack, Tracker
from toolkit.errors import ClipError
from toolkit.media import iterate_frames
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

    def extract(self, path: Path) -> FaceTrack:
        """Returns the speaker's face in one clip.

        Frames pass through in chunks of bounded size; only crops are kept.

        Args:
            path: video file

        Raises:
            ClipError: ``no_face``; ``missing``, ``unreadable`` or ``no_video`` as `toolkit.media.iterate_frames`
        """
        if isinstance(self._detector, ClipDetector):
            return self._detector.extract(path)
        tracker = Tracker(self.spec)
        for frame, faces in Searcher(self.spec, self._detector).run(iterate_frames(path, rate=self.spec.frame_rate)):
            tracker.add(frame, faces)
        track = tracker.speaker()
        if track is None:
            raise ClipError(Status.NO_FACE, f"{path}: no face in {tracker.frames} frames")
        return track

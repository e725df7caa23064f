"""Pictures out of video files, and out of folders of pictures."""

from pathlib import Path

from baseline.face_clips.clip import Clip, ClipSource, sound_files
from baseline.face_clips.picture_folder import PictureFolder
from baseline.face_clips.video_clip import VideoClip
from toolkit.corpus import Corpus
from toolkit.errors import ClipError
from toolkit.status import Status


class VideoFiles(ClipSource):
    """The videos of a corpus; where the corpus names a folder or a picture, its pictures in the order of their names.

    Args:
        corpus: the clips
    """

    def __init__(self, corpus: Corpus) -> None:
        self.names, self.left_out = [], {}
        self._files: list[tuple[Path, Path | None]] = []
        heard = sound_files(corpus.table, corpus.root)
        for name, video, sound in zip(corpus.table["name"], corpus.table["video"], heard, strict=True):
            if not isinstance(video, str):
                self.left_out[name] = ClipError(Status.NO_VIDEO, f"{name}: the corpus names no video")
                continue
            self.names.append(name)
            self._files.append((corpus.root / video, sound))

    def open(self, number: int) -> Clip:
        """Returns a clip, as `ClipSource.open`.

        Raises:
            ClipError: ``missing``, ``unreadable`` or ``no_video``
        """
        video, sound = self._files[number]
        if video.is_dir() or video.suffix.lower() in PictureFolder.suffixes:
            return PictureFolder(self.names[number], video, None if sound == video else sound)
        return VideoClip(self.names[number], video, sound)

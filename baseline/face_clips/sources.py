"""Where clips are read from, as named on a command line."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Literal

from baseline.face_clips.clip import Clip, ClipSource
from baseline.face_clips.face_cache import FaceCache
from baseline.face_clips.video_files import VideoFiles
from toolkit.cache import cache_path
from toolkit.corpus import Corpus
from toolkit.errors import UserError

Source = Literal["faces", "video"]


class JoinedClips(ClipSource):
    """Clips of several corpora, one corpus after the other; a clip's name is ``CORPUS/NAME``.

    Args:
        corpora: by name, at least one
    """

    def __init__(self, corpora: dict[str, ClipSource]) -> None:
        self._sources = list(corpora.values())
        self._ends = list(accumulate(map(len, self._sources)))
        self.names = [f"{corpus}/{name}" for corpus, source in corpora.items() for name in source.names]
        self.left_out = {
            f"{corpus}/{name}": error for corpus, source in corpora.items() for name, error in source.left_out.items()
        }

    def open(self, number: int) -> Clip:
        """Returns a clip, as `ClipSource.open`."""
        place = bisect_right(self._ends, number)
        return self._sources[place].open(number - (self._ends[place - 1] if place else 0))


def open_clips(
    corpora: Sequence[Corpus], source: Source, *, cache: Path | None = None, faces: str = "mtcnn"
) -> ClipSource:
    """Returns the clips of one or several corpora.

    Args:
        corpora: whose names differ
        source: ``faces``, cut out before, or ``video``, whole pictures
        cache: folder of the caches, for faces
        faces: how they were found; names the cache

    Raises:
        UserError: two corpora have one name, no folder of caches is given, a cache is not there or lacks clips, or
            no clip can be read
    """
    opened: dict[str, ClipSource] = {}
    for corpus in corpora:
        if corpus.name in opened:
            raise UserError(
                f"Two corpora are called '{corpus.name}'. Give each once, or rename one (<stem>.yaml: name)."
            )
        opened[corpus.name] = _of(corpus, source, cache, faces)
    clips = next(iter(opened.values())) if len(opened) == 1 else JoinedClips(opened)
    if not len(clips):
        first = next(iter(clips.left_out.items()), None)
        why = f"; the first, '{first[0]}': {first[1]}" if first else ""
        raise UserError(f"None of {len(clips.left_out)} clips of {', '.join(opened)} can be read{why}.")
    return clips


def _of(corpus: Corpus, source: Source, cache: Path | None, faces: str) -> ClipSource:
    if source == "video":
        return VideoFiles(corpus)
    if cache is None:
        raise UserError("Faces are read from a cache: say its folder (--cache DIR), or read videos (--source video).")
    return FaceCache(corpus, cache_path(cache, corpus.name, "faces", faces))

"""A segment: a few clips whose records stand in files of their own until all of them are there."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from feature_extraction.job import Target
from feature_extraction.source import Row
from toolkit.cache import Cache


class Segment(NamedTuple):
    """Clips read together, and the caches that still lack them.

    Attributes:
        key: hash of the clips' names
        rows: rows of the corpus table
        todo: numbers of jobs with the caches to write for
    """

    key: str
    rows: Sequence[Row]
    todo: Sequence[tuple[int, Target]]


def segment_folder(cache: Path) -> Path:
    """Returns the folder of a cache's segments, beside it."""
    return cache.with_name(f"{cache.name}.segments")


def segment_path(cache: Path, key: str) -> Path:
    """Returns the file of one segment."""
    return segment_folder(cache) / f"{key}.h5"


def plan_segments(names: Sequence[str], clips: int) -> dict[str, Sequence[str]]:
    """Returns the names of each segment by its key, the same for the same names.

    Args:
        names: clips in the order of the corpus
        clips: how many make a segment
    """
    pieces = [names[start : start + clips] for start in range(0, len(names), clips)]
    return {_digest(piece): piece for piece in pieces}


def open_segments(
    plan: Mapping[str, Sequence[str]], rows: Mapping[str, Row], targets: Sequence[tuple[int, Target]]
) -> list[Segment]:
    """Returns the segments that some cache still lacks.

    Args:
        plan: names by key
        rows: rows of the corpus table by clip name
        targets: numbers of jobs with the caches they fill
    """
    segments = []
    for key, names in plan.items():
        todo = [(job, target) for job, target in targets if not _is_there(segment_path(target.path, key), target)]
        if todo:
            segments.append(Segment(key, [rows[name] for name in names], todo))
    return segments


def _is_there(path: Path, target: Target) -> bool:
    """Whether a segment was finished by an earlier run of the very same encoder; one of another is removed."""
    if not path.exists():
        return False
    with Cache(path) as cache:
        if cache.identity == target.header.identity:
            return True
    path.unlink()
    return False


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:20]

"""Joining the work of several shards into the caches they were made for."""

import json
from collections.abc import Sequence
from pathlib import Path

from feature_extraction.extract import merge_segments
from feature_extraction.failures import write_failures
from feature_extraction.job import Target
from feature_extraction.lock import locked
from toolkit.cache import Cache, Header
from toolkit.corpus import Corpus
from toolkit.errors import UserError

_SUFFIX = ".segments"


def merge_shards(corpus: Corpus, cache_root: Path, others: Sequence[Path] = ()) -> list[Path]:
    """Makes the caches of a corpus out of the segments that shards left.

    Args:
        corpus: the clips
        cache_root: folder of all caches
        others: further such folders, of other machines

    Returns:
        the caches made

    Raises:
        UserError: there is nothing to join, clips are missing, or the segments of one encoder differ in identity
    """
    folders = [root / corpus.name for root in (cache_root, *others)]
    found = sorted({path.relative_to(folder) for folder in folders for path in folder.glob(f"*/*.h5{_SUFFIX}")})
    if not found:
        raise UserError(f"No segments of '{corpus.name}' in {', '.join(map(str, folders))}: no shard has run yet.")
    return [_join(corpus, place, folders) for place in found]


def _join(corpus: Corpus, place: Path, folders: Sequence[Path]) -> Path:
    """Makes one cache; ``place`` is the folder of its segments below each corpus folder."""
    path = folders[0] / place.with_name(place.name.removesuffix(_SUFFIX))
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = dict.fromkeys(corpus.table["name"])
    with locked(path):
        parts = [part for folder in folders for part in sorted((folder / place).glob("[!.]*.h5"))]
        done = dict.fromkeys(_names(path)) if path.exists() else {}
        missing = rows.keys() - done.keys() - {name for part in parts for name in _names(part)}
        if missing:
            raise UserError(
                f"{len(missing)} of {len(rows)} clips are in no segment of {path.name}, '{min(missing)}' for one. Let "
                "the other shards finish, name their folders after --from, or run once without --shard."
            )
        header = _common_header([*parts, *([path] if done else [])])
        merge_segments(Target(path, header), parts, rows, done)
    write_failures(folders[0])
    return path


def _names(path: Path) -> list[str]:
    with Cache(path) as cache:
        return cache.names


def _common_header(parts: Sequence[Path]) -> Header:
    """Returns the attributes that files of one encoder share."""
    with Cache(parts[0]) as cache:
        header = Header(cache.corpus, json.dumps(cache.spec, sort_keys=True), cache.identity, root=cache.root)
    for part in parts[1:]:
        with Cache(part) as cache:
            cache.expect(header.identity)
    return header

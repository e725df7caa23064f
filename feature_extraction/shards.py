"""Joining the work of several shards into the caches they were made for."""

import json
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from feature_extraction.completion import merge_segments
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
        UserError: there is no such folder, nothing to join, clips are missing, or the segments of one encoder differ
            in identity
    """
    for other in others:
        if not other.is_dir():
            raise UserError(f"There is no folder {other}, which stands after --from. Expected another --cache folder.")
    folders = [root / corpus.name for root in (cache_root, *others)]
    found = sorted({path.relative_to(folder) for folder in folders for path in folder.glob(f"*/*.h5{_SUFFIX}")})
    if not found:
        places = ", ".join(map(str, folders))
        raise UserError(f"No segments of '{corpus.name}' in {places}: no shard has run yet, or all are joined.")
    paths, failures = [], []
    for place in found:
        try:
            paths.append(_join(corpus, place, folders))
        except UserError as error:  # an encoder that is not finished keeps no other waiting
            failures.append(str(error))
    if failures:
        raise UserError("\n".join(failures))
    return paths


def _join(corpus: Corpus, place: Path, folders: Sequence[Path]) -> Path:
    """Makes one cache; ``place`` is the folder of its segments below each corpus folder."""
    path = folders[0] / place.with_name(place.name.removesuffix(_SUFFIX))
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = dict.fromkeys(corpus.table["name"])
    with locked(path):
        files = [file for folder in folders for file in sorted((folder / place).glob("[!.]*.h5"))]
        done = [_known(path)] if path.exists() else []
        # What was made last counts: a clip that failed in an older run may have been mended since.
        parts = sorted([*map(_known, files), *done], key=attrgetter("created"), reverse=True)
        missing = rows.keys() - {name for part in parts for name in part.names}
        if missing:
            raise UserError(
                f"{len(missing)} of {len(rows)} clips are in no segment of {path.name}, '{min(missing)}' for one. Let "
                "the other shards finish, name their folders after --from, or run once without --shard."
            )
        latest = parts[0]
        for part in parts:
            part.expect(latest.identity)
        header = Header(latest.corpus, json.dumps(latest.spec, sort_keys=True), latest.identity, root=latest.root)
        merge_segments(Target(path, header), [part.path for part in parts], rows, done[0].names if done else ())
    write_failures(folders[0])
    return path


def _known(path: Path) -> Cache:
    """Returns a cache whose header and names are read, closed."""
    with Cache(path) as cache:
        _ = cache.names
    return cache

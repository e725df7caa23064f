"""Transfer: every clip of a corpus, from where its features were found into a cache."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tqdm import tqdm

from toolkit.cache import CacheWriter, Header, Record, cache_path, merge
from toolkit.cache.record import installed_versions
from toolkit.cache_import.clip import frames_of, record_of
from toolkit.cache_import.origin import Level, Origin
from toolkit.cache_import.spec import ImportedSpec
from toolkit.cache_import.summary import Summary, few
from toolkit.corpus import Corpus
from toolkit.errors import ClipError, UserError
from toolkit.status import Status

_THREADS = 4
_TOGETHER: dict[Level, int] = {"utterance": 64, "frame": 1}  # clips in one go; frames of a few are memory enough
_SAMPLE = 99  # clips looked at to learn how many numbers they have


def import_features(
    origin: Origin,
    corpus: Corpus,
    spec: ImportedSpec,
    cache_root: Path,
    *,
    level: Level | None = None,
    overwrite: bool = False,
) -> Summary:
    """Makes a cache of features that were made elsewhere; it appears whole or not at all.

    Every clip of the corpus has a row. One without features, or with such as cannot be used, has its status and reason.

    Args:
        origin: where the features are
        corpus: the clips
        spec: what is known of the features
        cache_root: folder of all caches
        level: ``frame`` keeps frames and their mean, ``utterance`` the mean alone; the origin's own if absent
        overwrite: replaces a cache that is there already

    Raises:
        UserError: no clip has features, the level is not known, or the cache is there already
    """
    level = _level(origin, spec, level)
    names = list(corpus.table["name"])
    known = set(names)
    left_over = [*origin.strangers, *sorted(name for name in origin.names if name not in known)]
    if known.isdisjoint(origin.names):
        raise UserError(
            f"{origin.path} has nothing for any clip of '{corpus.name}'. It has {few(left_over)}; the clips are called "
            f"{few(names)}."
        )
    path = cache_path(cache_root, corpus.name, spec.modality, spec.name, level)
    _make_way(path, cache_root / corpus.name, spec, overwrite=overwrite)
    dim = _usual_dim(origin, [name for name in names if name in origin.names])
    records = _ahead(partial(_record, origin=origin, spec=spec, level=level, dim=dim), names, _TOGETHER[level])
    bar = tqdm(records, desc="import", total=len(names), unit="clip", disable=None)
    _write(path, _header(corpus, spec), bar, names, level)
    return Summary.of(path, left_over)


def _header(corpus: Corpus, spec: ImportedSpec) -> Header:
    """Returns the cache's attributes; of the libraries only those that an import uses had part in the numbers."""
    versions = {name: version for name, version in installed_versions().items() if name in ("h5py", "numpy")}
    return Header(corpus.name, spec.to_json(), spec.identity, json.dumps(versions, sort_keys=True))


def _level(origin: Origin, spec: ImportedSpec, level: Level | None) -> Level:
    level = level or origin.level
    if level is None:
        raise UserError(
            f"'{origin.path.name}' ends in neither UTT nor FRA and does not tell what it holds. Say --level utterance "
            "for one vector per clip, --level frame for frames."
        )
    if level == "frame" and origin.level == "utterance":
        raise UserError(f"{origin.path} has one vector per clip, and --level frame asks for frames. Leave it out.")
    if level == "utterance" and spec.frame_rate is not None:
        raise UserError("--rate says when the frames of a clip are, and none are kept. Leave it out.")
    return level


def _make_way(path: Path, folder: Path, spec: ImportedSpec, *, overwrite: bool) -> None:
    """Removes what killed imports left.

    Raises:
        UserError: the cache, or one of that name in another modality, is there already
    """
    if path.exists() and not overwrite:
        raise UserError(
            f"There is a cache at {path} already. Give another --encoder name, or --overwrite to replace it."
        )
    for other in sorted(folder.glob(f"*/{path.name}")):
        if other.parent.name not in (spec.modality, "faces"):
            raise UserError(
                f"'{spec.name}' is the name of {other} already. Give these a name of their own, such as "
                f"{spec.name}-{spec.modality}, because stage 2 knows features by their names."
            )
    for leftover in (_part(path), *path.parent.glob(f".{path.name}.*partial")):
        leftover.unlink(missing_ok=True)


def _usual_dim(origin: Origin, names: Sequence[str]) -> int | None:
    """Returns how many numbers per frame most clips of a sample have, ``None`` where none of them can be read.

    Were it the first clip's number, a single stray file could make all others fail.
    """
    dims: Counter[int] = Counter()
    for name in names[:: 1 + len(names) // _SAMPLE]:
        try:
            frames = frames_of(origin.read(name))
        except ClipError:
            continue
        if frames.size:
            dims[frames.shape[1]] += 1
    return dims.most_common(1)[0][0] if dims else None


def _record(name: str, *, origin: Origin, spec: ImportedSpec, level: Level, dim: int | None) -> Record:
    if name not in origin.names:
        return Record(name, Status.MISSING, f"{origin.path.name} has nothing for it")
    try:
        return record_of(name, origin.read(name), spec, level, dim)
    except ClipError as error:
        return Record(name, error.status, error.reason)


def _ahead(read: Callable[[str], Record], names: Sequence[str], together: int) -> Iterator[Record]:
    """Yields the records in order, the next ones being read meanwhile: on a network disk each takes its time."""

    def read_some(start: int) -> list[Record]:
        return [read(name) for name in names[start : start + together]]

    with ThreadPoolExecutor(_THREADS) as threads:
        waiting: deque[Future[list[Record]]] = deque()
        for start in range(0, len(names), together):
            waiting.append(threads.submit(read_some, start))
            if len(waiting) == 2 * _THREADS:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _write(path: Path, header: Header, records: Iterable[Record], names: Sequence[str], level: Level) -> None:
    if level == "utterance":
        with CacheWriter(path, header, rows={"utterance": len(names)}) as writer:
            for record in records:
                writer.append(record)
        return
    # How many frames there are is not known before the last; merged, they lie end to end and are read ten times faster.
    try:
        with CacheWriter(_part(path), header) as writer:
            for record in records:
                writer.append(record)
        merge(path, header, [_part(path)], names)
    finally:
        _part(path).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")

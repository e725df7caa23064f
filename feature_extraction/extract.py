"""Stage 1, one loop for all modalities: plan, resume, read, encode, write."""

import contextlib
import itertools
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from feature_extraction.face_job import FaceJob
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.failures import write_failures
from feature_extraction.feature_job import FeatureJob
from feature_extraction.job import Job, Target
from feature_extraction.lock import locked
from feature_extraction.options import RunOptions, Shard
from feature_extraction.production import produce
from feature_extraction.segment import Segment, open_segments, plan_segments, segment_folder, segment_path
from feature_extraction.source import Source, VideoSource, source_of
from feature_extraction.spec import EncoderSpec, Level
from feature_extraction.workers import produce_in_workers
from toolkit.cache import Cache, cache_path, merge
from toolkit.corpus import Corpus
from toolkit.errors import UserError
from toolkit.status import Status

logger = logging.getLogger(__name__)


def extract_features(
    corpus: Corpus,
    specs: Sequence[EncoderSpec],
    cache_root: Path,
    *,
    levels: Sequence[Level] = ("utterance",),
    options: RunOptions | None = None,
) -> list[Path]:
    """Makes, completes or leaves alone the caches of some encoders; face crops are made first where they are needed.

    Encoders that read the same material read it once, together.

    Args:
        corpus: the clips
        specs: the encoders
        cache_root: folder of all caches
        levels: ``utterance`` keeps a vector per clip, ``frame`` the frames too; both together cost one forward
        options: how to run

    Returns:
        the cache files, for each encoder those of the levels

    Raises:
        UserError: a cache made by another version of the encoder is there, another run is at work on it, it cannot
            be written, or an encoder cannot run
    """
    options = options or RunOptions()
    paths: dict[str, list[Path]] = {}
    for together in _sharing(specs):
        faces = together[0].faces
        if faces is not None:
            # Crops are costly and shared by encoders, so --overwrite of an encoder does not redo them.
            extract_faces(corpus, faces, cache_root, options=options, overwrite=False)
        crops = cache_path(cache_root, corpus.name, "faces", faces.name) if faces else None
        if crops and options.shard:
            _require_crops(crops, corpus, options.shard)
        jobs = [
            FeatureJob(corpus, spec, cache_root, levels=levels, device=options.device, trusted=options.trusted)
            for spec in together
        ]
        run_jobs(jobs, source_of(together, corpus.root, crops), corpus, options)
        paths |= {job.name: [target.path for target in job.targets] for job in jobs}
    return list(dict.fromkeys(path for spec in specs for path in paths[spec.name]))


def _require_crops(path: Path, corpus: Corpus, shard: Shard) -> None:
    """Checks that the crops of all shards are joined: those of one may be less than its part of an encoder's clips.

    Raises:
        UserError: they are not
    """
    if path.exists():
        with Cache(path) as cache:
            if cache.index.keys() >= set(corpus.table["name"]):
                return
    raise UserError(
        f"The face crops of shard {shard.index}/{shard.count} are made, but {path} does not hold those of all. When "
        "every shard has come so far: `merge`, then run this command again."
    )


def extract_faces(
    corpus: Corpus,
    spec: FaceSpec,
    cache_root: Path,
    *,
    options: RunOptions | None = None,
    overwrite: bool | None = None,
) -> Path:
    """Makes, completes or leaves alone the faces cache of a corpus.

    Args:
        corpus: the clips
        spec: how faces are found and cut out
        cache_root: folder of all caches
        options: how to run
        overwrite: in place of the options' own

    Raises:
        UserError: see `extract_features`
    """
    options = options or RunOptions()
    job = FaceJob(corpus, spec, cache_root, device=options.device)
    run_jobs([job], VideoSource(corpus.root), corpus, options, overwrite=overwrite)
    return job.targets[0].path


def _sharing(specs: Sequence[EncoderSpec]) -> list[list[EncoderSpec]]:
    """Returns the specs in groups that read the same material.

    Text costs nothing to read, and its encoders are the largest, so each of them has the device to itself.

    Raises:
        UserError: two of them have one name, and so one cache
    """

    def material(spec: EncoderSpec) -> str:
        return spec.name if spec.modality == "text" else spec.faces.identity if spec.faces else spec.modality

    unique: dict[str, EncoderSpec] = {}
    for spec in specs:
        other = unique.setdefault(spec.name, spec)
        if other.identity != spec.identity:
            raise UserError(
                f"Two encoders are called '{spec.name}': {other.checkpoint}#{other.revision} and "
                f"{spec.checkpoint}#{spec.revision}. Rename a folder, or use another --cache for one of them."
            )
    return [list(group) for _, group in itertools.groupby(sorted(unique.values(), key=material), key=material)]


def run_jobs(
    jobs: Sequence[Job], source: Source, corpus: Corpus, options: RunOptions, *, overwrite: bool | None = None
) -> None:
    """Brings the caches of jobs that share a source up to date with the corpus.

    Segments finished by an interrupted run are taken over; clips already in a cache are never computed again.

    Raises:
        UserError: see `extract_features`
    """
    targets = [(number, target) for number, job in enumerate(jobs) for target in job.targets]
    try:
        with contextlib.ExitStack() as locks:
            for _, target in targets:
                target.path.parent.mkdir(parents=True, exist_ok=True)
                locks.enter_context(locked(target.path, part=options.shard))
            if options.overwrite if overwrite is None else overwrite:
                for _, target in targets:  # not before all of them are locked
                    _forget(target.path, options)
            _complete(jobs, source, corpus, targets, options)
        if options.shard is None:
            write_failures(targets[0][1].path.parent.parent)
    except UserError:  # that the folder for temporary files is full is an OSError too
        raise
    except OSError as error:  # clips' own are statuses by now, and encoders' are not let out, so it is about the caches
        why = os.strerror(error.errno) if error.errno else str(error)
        raise UserError(
            f"{targets[0][1].path.parent} cannot be written: {why}. What is finished is kept: run the same command "
            "again when there is room, or name another --cache."
        ) from error
    except KeyboardInterrupt:
        logger.info("Stopped. What is finished is kept: run the same command again to go on.")
        raise


def _forget(path: Path, options: RunOptions) -> None:
    if options.shard is not None:
        raise UserError(f"--overwrite would delete the other shards' work. Remove {path} and its segments by hand.")
    path.unlink(missing_ok=True)
    shutil.rmtree(segment_folder(path), ignore_errors=True)


def _complete(
    jobs: Sequence[Job], source: Source, corpus: Corpus, targets: list[tuple[int, Target]], options: RunOptions
) -> None:
    """Computes what the caches lack, and merges it in; caches that lack the same clips are made together."""
    rows = {row["name"]: row for row in corpus.table.to_dict("records")}
    alike: dict[tuple[str, ...], list[tuple[int, Target]]] = {}
    finished: dict[Path, dict[str, None]] = {}
    for number, target in targets:
        done = finished[target.path] = _finished(target, options.retry)
        if done.keys() & rows.keys():
            _warn_of_another_root(target)
        missing = tuple(name for name in rows if name not in done)
        if missing:
            alike.setdefault(missing, []).append((number, target))
        else:
            if options.shard is None:  # else they may be of a shard that has more to do
                shutil.rmtree(segment_folder(target.path), ignore_errors=True)  # of a run killed right after merging
            logger.info("%s: all %d clips are there, nothing to extract", jobs[number].label, len(rows))
    for missing, lacking in alike.items():
        plan = plan_segments(missing, source.segment_clips)
        if options.shard is not None:
            plan = dict(list(plan.items())[options.shard.index :: options.shard.count])
        segments = open_segments(plan, rows, lacking)
        wanted = len(rows) if options.shard is None else sum(map(len, plan.values()))
        with _progress(jobs, lacking, wanted, segments, options) as bar:
            for count in _produce(jobs, source, segments, options):
                bar.update(count)
        if options.shard is None:
            for _, target in lacking:
                done = finished[target.path]
                parts = [segment_path(target.path, key) for key in plan]
                merge_segments(target, [*parts, *([target.path] if done else [])], rows, done)
        for job in jobs:
            job.release()


def merge_segments(target: Target, parts: Sequence[Path], rows: Mapping[str, Any], done: Iterable[str]) -> None:
    """Makes one cache of its segments and of what was there before.

    Args:
        target: the cache
        parts: files of its segments, and the cache itself if there is one; the first that has a clip gives it
        rows: the corpus, in its order
        done: clips that the cache had
    """
    order = [*rows, *(name for name in done if name not in rows)]  # clips that left the corpus are not thrown away
    merge(target.path, target.header, parts, order)
    shutil.rmtree(segment_folder(target.path), ignore_errors=True)  # shards of other machines may have been all


def _progress(
    jobs: Sequence[Job], lacking: list[tuple[int, Target]], wanted: int, segments: list[Segment], options: RunOptions
) -> tqdm:
    names = dict.fromkeys(jobs[number].label for number, _ in lacking)
    label = " ".join(names) if len(names) < 3 else f"{next(iter(names))} and {len(names) - 1} more"
    at_start = wanted - sum(len(segment.rows) for segment in segments)
    return tqdm(total=wanted, initial=at_start, desc=label, unit="clip", disable=not options.progress)


def _produce(jobs: Sequence[Job], source: Source, segments: list[Segment], options: RunOptions) -> Iterator[int]:
    """Yields the number of clips done; in processes, unless an encoder wants the device to itself."""
    busy = {number for segment in segments for number, _ in segment.todo}
    if options.workers <= 1 or len(segments) <= 1 or any(jobs[number].alone for number in busy):
        yield from produce(jobs, source, segments, max(1, options.workers))
    else:
        yield from produce_in_workers(jobs, source, segments, options.workers)


def _finished(target: Target, retry: bool) -> dict[str, None]:
    """Returns the clips that need no work, in the order of the cache."""
    for leftover in target.path.parent.glob(f".{target.path.name}.*.partial"):  # of a run killed while merging
        leftover.unlink()
    if not target.path.exists():
        return {}
    with Cache(target.path) as cache:
        cache.expect(target.header.identity)
        names = [n for n, status in zip(cache.names, cache.status, strict=True) if not retry or status == Status.OK]
    return dict.fromkeys(names)


def _warn_of_another_root(target: Target) -> None:
    """Clips are known by their names, and two tables in two folders may be called the same: nothing else would tell."""
    with Cache(target.path) as cache:
        if cache.root and cache.root != target.header.root:
            logger.warning(
                "%s was made from clips in %s; those of the same name in %s are taken to be the same. If they are not, "
                "use another --cache, or write 'name: ...' into a .yaml beside the CSV.",
                target.path, cache.root, target.header.root,
            )  # fmt: skip

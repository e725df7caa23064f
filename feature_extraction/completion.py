"""Completing caches: what they lack is computed in segments and merged in."""

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from feature_extraction.job import Job, Target
from feature_extraction.options import RunOptions
from feature_extraction.production import produce
from feature_extraction.segment import Segment, open_segments, plan_segments, segment_folder, segment_path
from feature_extraction.source import Source
from feature_extraction.workers import produce_in_workers
from toolkit.cache import Cache, merge
from toolkit.corpus import Corpus
from toolkit.status import Status

logger = logging.getLogger(__name__)


def complete(
    jobs: Sequence[Job], source: Source, corpus: Corpus, targets: list[tuple[int, Target]], options: RunOptions
) -> None:
    """Computes what the caches lack, and merges it in; caches that lack the same clips are made together.

    Args:
        jobs: encoders that share the source
        source: reads the clips
        corpus: the clips
        targets: the caches, each with the number of its job; locked
        options: how to run

    Raises:
        UserError: see `feature_extraction.extract.extract_features`
    """
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
        for number in sorted(busy):
            _ = jobs[number].encoder  # a checkpoint that is missing shows now and not after the first of them is done
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

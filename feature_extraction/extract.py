"""Stage 1, one loop for all modalities: plan, resume, read, encode, write."""

import contextlib
import itertools
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from feature_extraction.completion import complete
from feature_extraction.face_job import FaceJob
from feature_extraction.faces.spec import FaceSpec
from feature_extraction.failures import write_failures
from feature_extraction.feature_job import FeatureJob
from feature_extraction.job import Job
from feature_extraction.lock import locked
from feature_extraction.options import RunOptions, Shard
from feature_extraction.segment import segment_folder
from feature_extraction.source import Source, VideoSource, source_of
from feature_extraction.spec import EncoderSpec, Level
from toolkit.cache import Cache, cache_path
from toolkit.corpus import Corpus
from toolkit.errors import UserError

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
        jobs = [
            FeatureJob(corpus, spec, cache_root, levels=levels, device=options.device, trusted=options.trusted)
            for spec in together
        ]
        faces = together[0].faces
        crops = cache_path(cache_root, corpus.name, "faces", faces.name) if faces else None
        if faces and crops:
            if not crops.exists() and len(corpus) > VideoSource.segment_clips:
                _try_to_build(jobs)  # to look for faces may take hours, a missing checkpoint should not come after them
            # Crops are costly and shared by encoders, so --overwrite of an encoder does not redo them.
            extract_faces(corpus, faces, cache_root, options=options, overwrite=False)
        if crops and options.shard:
            _require_crops(crops, corpus, options.shard)
        run_jobs(jobs, source_of(together, corpus.root, crops), corpus, options)
        paths |= {job.name: [target.path for target in job.targets] for job in jobs}
    return list(dict.fromkeys(path for spec in specs for path in paths[spec.name]))


def _try_to_build(jobs: Sequence[Job]) -> None:
    """Builds encoders and lets go of them.

    Raises:
        UserError: one cannot run
    """
    for job in jobs:
        _ = job.encoder
        job.release()


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

    def material(spec: EncoderSpec) -> tuple[str, str]:
        return spec.modality, spec.name if spec.modality == "text" else spec.faces.identity if spec.faces else ""

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
                _forget(jobs, options)  # not before all of them are locked
            complete(jobs, source, corpus, targets, options)
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


def _forget(jobs: Sequence[Job], options: RunOptions) -> None:
    """Deletes the caches of jobs, once it is sure that their encoders can make others."""
    paths = [target.path for job in jobs for target in job.targets]
    if options.shard is not None:
        raise UserError(f"--overwrite would delete the other shards' work. Remove {paths[0]} and its segments by hand.")
    for job in jobs:
        _ = job.encoder  # no such device, no checkpoint: that must not cost the cache
        if not job.alone:
            job.release()  # worker processes build their own
    for path in paths:
        path.unlink(missing_ok=True)
        shutil.rmtree(segment_folder(path), ignore_errors=True)

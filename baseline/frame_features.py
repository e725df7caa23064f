"""Frames out of the feature caches: fewer of them by means, and where asked for on a time axis in common."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from baseline.dataset import FeatureSource, Inputs, dim_without_clips, require_complete, require_finite
from baseline.ragged import Ragged
from toolkit.cache import Cache
from toolkit.cache.joined import JoinedCache
from toolkit.status import Status

FIELD = "frames/values"
TEXT = "text"  # the modality that the others are aligned to
_NEVER = np.iinfo(np.int64).max


def load_frames(
    sources: Mapping[str, FeatureSource],
    names: Sequence[str],
    compress: int,
    *,
    aligned: bool,
    device: str = "cpu",
    dims: Mapping[str, int] | None = None,
) -> Inputs:
    """Returns the frames of some clips; a clip that failed, or has none, is one of length 0 that is not present.

    Every ``compress`` frames become their mean; the last mean of a clip is of as many as are left. MERTools (MER2024
    ``read_data.py``, ``feat_scale``) puts zeros in front of a clip up to the next multiple of it, and counts them in
    its first mean.

    Aligned, every feature of a clip has as many steps as its anchor: its text, or the feature with the fewest steps
    where it has no text (of several texts, that with the fewest). Each step is the mean of the frames in its share of
    the clip (adaptive averaging); MERTools' ``align_to_text`` fills up with zeros again. A feature that the clip lacks
    is that many zeros and not present, so that all features of a batch have one time axis.

    One clip is read at a time: memory holds what is returned, and little else.

    Args:
        sources: frame-level caches by feature name
        names: clip names
        compress: frames that become one
        aligned: whether every feature of a clip gets the steps of its anchor
        device: torch device
        dims: dimension of the features of which a cache may hold no usable clip

    Raises:
        UserError: clips are absent from a cache, a cache holds no usable clip at all, or a value is not finite
    """
    counts = {}
    for key in sorted(sources):
        require_complete(sources[key], key, names, "frame")
        counts[key] = -(-sources[key].cache.lengths(FIELD, names) // compress)
    anchor = _anchor_steps(counts, [key for key in counts if sources[key].modality == TEXT]) if aligned else None
    values, present = {}, {}
    for key, count in counts.items():
        steps = count if anchor is None else anchor
        dim = _dim(sources[key].cache, key, [names[row] for row in np.flatnonzero(count)], dims)
        frames = _read(sources[key].cache, names, count, steps, compress, dim)
        values[key] = Ragged.end_to_end(*(torch.from_numpy(part).to(device) for part in (frames, steps)))
        present[key] = torch.from_numpy(count > 0).to(device)
    return Inputs(tuple(names), values, present)


def compressed(frames: np.ndarray, compress: int) -> np.ndarray:
    """Returns the means of neighbouring frames, ``(ceil(time / compress), dim)`` float32.

    Args:
        frames: ``(time, dim)``
        compress: frames that become one; as many as are left become the last one
    """
    whole = len(frames) // compress * compress
    means = frames[:whole].reshape(-1, compress, frames.shape[1]).mean(axis=1, dtype=np.float32)
    if whole == len(frames):
        return means
    return np.concatenate([means, frames[whole:].mean(axis=0, dtype=np.float32, keepdims=True)])


def resampled(frames: np.ndarray, steps: int) -> np.ndarray:
    """Returns as many steps as asked for, ``(steps, dim)``, each the mean of the frames in its share of the time.

    Step ``i`` is the mean of the frames from ``floor(i * time / steps)`` to before ``ceil((i + 1) * time / steps)``;
    where there are fewer frames than steps, they are repeated.

    Args:
        frames: ``(time, dim)`` float32, one at least
        steps: one at least
    """
    if steps == len(frames):
        return frames
    return torch.nn.functional.adaptive_avg_pool1d(torch.from_numpy(frames).T, steps).T.numpy()


def _anchor_steps(counts: Mapping[str, np.ndarray], texts: Sequence[str]) -> np.ndarray:
    """Returns how many steps each clip has once its features are aligned, ``(clips,)``, 0 where it has none.

    Args:
        counts: ``(clips,)`` steps of each feature, 0 where a clip lacks it
        texts: the features that are text
    """
    known = {key: np.where(count > 0, count, _NEVER) for key, count in counts.items()}
    fewest = np.min(list(known.values()), axis=0)
    for_text = np.min([known[key] for key in texts], axis=0) if texts else fewest
    steps = np.where(for_text < _NEVER, for_text, fewest)
    return np.where(steps < _NEVER, steps, 0)


def _dim(cache: Cache | JoinedCache, key: str, names: Sequence[str], dims: Mapping[str, int] | None) -> int:
    """Returns the numbers per frame.

    Args:
        cache: of one feature
        key: its name
        names: of the clips asked for, those that have frames
        dims: as of `load_frames`
    """
    usable = names or [name for name, status in zip(cache.names, cache.status, strict=True) if status == Status.OK]
    return cache.ragged(FIELD, usable[0]).shape[1] if usable else dim_without_clips(cache, key, dims)


def _read(
    cache: Cache | JoinedCache, names: Sequence[str], counts: np.ndarray, steps: np.ndarray, compress: int, dim: int
) -> np.ndarray:
    """Returns the frames of some clips end to end, ``(sum of steps, dim)`` float32.

    Args:
        cache: of one feature
        names: clip names
        counts: ``(clips,)`` compressed frames of each clip, 0 where it has none
        steps: ``(clips,)`` how many it gets, zeros where it has none
        compress: frames that become one
        dim: numbers per frame

    Raises:
        UserError: a value is not finite
    """
    values = np.zeros((int(steps.sum()), dim), np.float32)
    stops, bad = steps.cumsum(), []
    for row in np.flatnonzero(counts):
        frames = resampled(compressed(cache.ragged(FIELD, names[row]), compress), int(steps[row]))
        values[stops[row] - steps[row] : stops[row]] = frames
        if not np.isfinite(frames).all():
            bad.append(names[row])
    require_finite(cache, bad)
    return values

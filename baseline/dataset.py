"""Feature caches and labels joined by clip name, as tensors on a device."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from baseline.ragged import Ragged
from toolkit.cache import Cache, find_cache
from toolkit.cache.joined import JoinedCache, find_joined
from toolkit.corpus import Corpus
from toolkit.errors import UserError, did_you_mean
from toolkit.models.network import Features
from toolkit.status import Status

BATCH = 512  # clips looked at together: what is made of them stays in the processor's cache
BATCH_FRAMES = 8192  # and frames of each feature, padding counted


class FeatureSource(NamedTuple):
    """Where one feature comes from.

    Attributes:
        cache: its cache
        modality: the folder the cache stands in
    """

    cache: Cache | JoinedCache
    modality: str


@dataclass(frozen=True)
class Inputs:
    """Features of some clips.

    Attributes:
        names: clip names, one per row; a corrupted copy has the name of its source
        values: ``(clips, dim)`` float32 vectors by feature, zero where a clip has no such feature, or frames
        present: ``(clips,)`` boolean by feature, true where a clip has it
    """

    names: tuple[str, ...]
    values: dict[str, Tensor | Ragged]
    present: dict[str, Tensor]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def usable(self) -> Tensor:
        """``(clips,)`` boolean, true where a clip has any feature at all."""
        return torch.stack(list(self.present.values())).any(0)

    @property
    def dims(self) -> dict[str, int]:
        """Dimension of each feature."""
        return {key: v.dim if isinstance(v, Ragged) else v.shape[1] for key, v in self.values.items()}

    @property
    def lengths(self) -> Tensor | None:
        """``(clips,)`` frames of each clip's longest feature, ``None`` where features are vectors."""
        counts = [values.lengths for values in self.values.values() if isinstance(values, Ragged)]
        return torch.stack(counts).amax(0) if counts else None

    @property
    def features(self) -> Features:
        """What networks read: vectors, or frames padded to the longest of these clips."""
        return {key: v.padded() if isinstance(v, Ragged) else v for key, v in self.values.items()}

    def only(self, features: Iterable[str]) -> Self:
        """Returns some of the features."""
        keys = sorted(features)
        return replace(self, values={k: self.values[k] for k in keys}, present={k: self.present[k] for k in keys})

    def take(self, rows: Tensor) -> Self:
        """Returns some of the clips, ``rows`` being ``(n,)`` row numbers or ``(clips,)`` booleans."""
        numbers = rows.nonzero()[:, 0] if rows.dtype == torch.bool else rows
        return type(self)(
            tuple(self.names[number] for number in numbers.tolist()),
            {key: values[numbers] for key, values in self.values.items()},
            {key: values[numbers] for key, values in self.present.items()},
        )

    def span(self, start: int, stop: int) -> Self:
        """Returns neighbouring clips without copying them."""
        return type(self)(
            self.names[start:stop],
            {key: values[start:stop] for key, values in self.values.items()},
            {key: values[start:stop] for key, values in self.present.items()},
        )

    def batches(self) -> Iterator[Self]:
        """Yields these clips in batches for networks that predict, neighbours in each; one empty batch of none.

        Frames are best had shortest clips first: a batch is padded to its longest.
        """
        start, count = 0, len(self)
        lengths = [0] * count if self.lengths is None else self.lengths.tolist()
        while start == 0 or start < count:
            stop, longest = start + 1, max(lengths[start : start + 1], default=0)
            while stop < min(count, start + BATCH):
                longest = max(longest, lengths[stop])
                if (stop + 1 - start) * longest > BATCH_FRAMES:
                    break
                stop += 1
            yield self.span(start, stop)
            start = stop

    def join(self, other: "Inputs") -> Self:
        """Returns these clips followed by others with the same features."""
        return type(self)(
            self.names + other.names,
            {key: _end_to_end(values, other.values[key]) for key, values in self.values.items()},
            {key: torch.cat([values, other.present[key]]) for key, values in self.present.items()},
        )


class Targets(NamedTuple):
    """What is known of some clips.

    Attributes:
        emotion: ``(clips,)`` int64 class number, -1 where not known
        valence: ``(clips,)`` float32, NaN where not known
        words: ``(clips, vocabulary)`` float32, 1 where a word holds; rows of NaN where not known
    """

    emotion: Tensor
    valence: Tensor
    words: Tensor

    def take(self, rows: Tensor) -> "Targets":
        """Returns some of the clips."""
        return Targets(*(part[rows] for part in self))

    def expand(self, models: int) -> "Targets":
        """Returns the same with an axis of models in front, not copied."""
        return Targets(*(part.expand(models, *part.shape) for part in self))

    def join(self, other: "Targets") -> "Targets":
        """Returns these clips followed by others."""
        return Targets(*(torch.cat(parts) for parts in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Examples:
    """Features and labels of the same clips."""

    inputs: Inputs
    targets: Targets

    def take(self, rows: Tensor) -> "Examples":
        """Returns some of the clips."""
        return Examples(self.inputs.take(rows), self.targets.take(rows))

    def join(self, other: "Examples") -> "Examples":
        """Returns these clips followed by others."""
        return Examples(self.inputs.join(other.inputs), self.targets.join(other.targets))

    def __len__(self) -> int:
        return len(self.inputs)


def _end_to_end(values: Tensor | Ragged, others: Tensor | Ragged) -> Tensor | Ragged:
    return Ragged.cat([values, others]) if isinstance(values, Ragged) else torch.cat([values, others])


def open_features(
    root: Path, corpus: Corpus, features: Sequence[str], level: str = "utterance"
) -> dict[str, FeatureSource]:
    """Returns the caches of a corpus by feature name, sorted; of a pair of corpora, those of both as one.

    Args:
        root: folder of the caches
        corpus: whose caches
        features: encoder names
        level: ``utterance``, or ``frame`` for the caches that hold frames

    Raises:
        UserError: a feature is named twice, or has no cache; the message gives the command that makes it
    """
    doubled = [name for name, count in Counter(features).items() if count > 1]
    if doubled or not features:
        problem = f"Feature '{doubled[0]}' is named twice" if doubled else "No features are named"
        raise UserError(f"{problem}. Expected each encoder once, as in --features egemaps face-hog.")
    caches = {name: _open(root, corpus, name, level) for name in sorted(features)}
    return {name: FeatureSource(cache, cache.path.parent.name) for name, cache in caches.items()}


def _open(root: Path, corpus: Corpus, feature: str, level: str) -> Cache | JoinedCache:
    if "source_name" in corpus.table:
        return find_joined(root, corpus.table, feature, level)
    return Cache(find_cache(root, corpus.name, feature, level))


def load_inputs(
    sources: Mapping[str, FeatureSource],
    names: Sequence[str],
    device: str = "cpu",
    dims: Mapping[str, int] | None = None,
) -> Inputs:
    """Returns the utterance features of some clips; a failed clip is a row that is not present.

    Args:
        sources: caches by feature name
        names: clip names
        device: torch device
        dims: dimension of the features of which a cache may hold no usable clip

    Raises:
        UserError: clips are absent from a cache, a cache holds no usable clip at all, or a value is not finite
    """
    values, present = {}, {}
    for key in sorted(sources):
        cache = sources[key].cache
        require_complete(sources[key], key, names)
        ok = np.array([cache.status[cache.index[name]] == Status.OK for name in names], dtype=bool)
        rows = cache.row("utterance", names)
        if rows.shape[1] == 0:
            rows = np.zeros((len(names), dim_without_clips(cache, key, dims)), np.float32)
        require_finite(cache, [names[row] for row in _not_finite(rows, ok)])
        rows[~ok] = 0
        values[key] = torch.from_numpy(rows).to(device)
        present[key] = torch.from_numpy(ok).to(device)
    return Inputs(tuple(names), values, present)


def read_targets(corpus: Corpus, device: str = "cpu") -> Targets:
    """Returns what a corpus knows of its clips; words are left empty, ``(clips, 0)``.

    Raises:
        UserError: an emotion is none of the corpus' classes
    """
    number_of = {emotion: number for number, emotion in enumerate(corpus.emotions)}
    emotions = []
    for name, emotion in zip(corpus.table["name"], corpus.table["emotion"], strict=True):
        if isinstance(emotion, str) and emotion not in number_of:
            raise UserError(f"'{name}' has the emotion '{emotion}'. {did_you_mean(emotion, number_of)}")
        emotions.append(number_of[emotion] if isinstance(emotion, str) else -1)
    valence = torch.tensor(corpus.table["valence"].to_numpy(np.float32), device=device)
    return Targets(torch.tensor(emotions, dtype=torch.int64, device=device), valence, valence.new_zeros(len(corpus), 0))


def coverage(sources: Mapping[str, FeatureSource], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Returns how many of some clips have which status, by feature."""
    return {
        key: dict(Counter(source.cache.status[source.cache.index[name]] for name in names).most_common())
        for key, source in sources.items()
    }


def require_complete(source: FeatureSource, key: str, names: Sequence[str], level: str = "utterance") -> None:
    """Checks that a cache has a row for each of some clips.

    Raises:
        UserError: it has not; the message says how to add them
    """
    cache = source.cache
    absent = [name for name in names if name not in cache]
    if absent:
        option = " --level frame" if level == "frame" else ""
        raise UserError(
            f"{cache.path} lacks {len(absent)} of {len(names)} clips, such as '{absent[0]}'. Add them with "
            f"`python -m feature_extraction {source.modality} --corpus REF --encoder {key}{option} "
            f"--cache {cache.path.parents[2]}`."
        )


def require_finite(cache: Cache | JoinedCache, bad: Sequence[str]) -> None:
    """Checks that no clip was found whose features are not finite.

    Raises:
        UserError: there is one
    """
    if bad:
        raise UserError(
            f"{cache.path}: '{bad[0]}' has features that are not finite ({len(bad)} clips). "
            f"Check it with `python -m toolkit cache verify {cache.path}` and extract again with --overwrite."
        )


def dim_without_clips(cache: Cache | JoinedCache, key: str, dims: Mapping[str, int] | None) -> int:
    """Returns the dimension of a feature that no clip of its cache has.

    Raises:
        UserError: nobody knows it
    """
    if dims is None:
        raise UserError(f"{cache.path} holds no usable clip: every one failed. Leave '{key}' out of --features.")
    return dims[key]


def _not_finite(rows: np.ndarray, ok: np.ndarray) -> list[int]:
    return [
        first + int(number)
        for first in range(0, len(rows), 1024)  # a block at a time: what is asked takes a quarter of their memory
        for number in np.flatnonzero(~np.isfinite(rows[first : first + 1024]).all(axis=1) & ok[first : first + 1024])
    ]

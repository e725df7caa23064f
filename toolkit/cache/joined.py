"""Caches of several corpora made by one encoder, read as one, for pairs of corpora (`toolkit.corpora.cross`)."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.cache.location import find_cache
from toolkit.cache.reader import Cache
from toolkit.errors import UserError


class JoinedCache:
    """What stage 2 reads of a `Cache`, of clips that have other names in the caches they lie in.

    Attributes:
        path: file of the first corpus
        identity: hash of what made the numbers, the same in all
        spec: what made the numbers
        corpus: names of the corpora, joined by ``+``
        created: when the first was written

    Raises:
        UserError: the caches were made by other settings
    """

    def __init__(self, caches: Mapping[str, Cache], clips: pd.DataFrame) -> None:
        """Joins caches.

        Args:
            caches: by corpus name
            clips: columns ``name``, ``corpus`` and ``source_name``, the name in the corpus' own cache
        """
        first = next(iter(caches.values()))
        for cache in caches.values():
            cache.expect(first.identity)
        self.path, self.identity, self.spec, self.created = first.path, first.identity, first.spec, first.created
        self.corpus = "+".join(caches)
        self._caches = dict(caches)
        places = zip(clips["name"], clips["corpus"], clips["source_name"], strict=True)
        self._places = {name: (corpus, own) for name, corpus, own in places if own in caches[corpus]}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    @cached_property
    def names(self) -> list[str]:
        """Names of the clips that are there, in the order of the pair."""
        return list(self._places)

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def status(self) -> list[str]:
        """What became of each clip."""
        return [self._caches[corpus].status[self._caches[corpus].index[own]] for corpus, own in self._places.values()]

    @cached_property
    def reason(self) -> list[str]:
        """Why each failed clip failed, empty for the others."""
        return [self._caches[corpus].reason[self._caches[corpus].index[own]] for corpus, own in self._places.values()]

    def row(self, field: str, names: Sequence[str]) -> np.ndarray:
        """Returns a fixed-shape field of some clips as `Cache.row`, ``(n, D)`` float32.

        Raises:
            UserError: a clip is not there
        """
        corpora = [self._place(name)[0] for name in names]
        numbers = {corpus: [row for row, other in enumerate(corpora) if other == corpus] for corpus in set(corpora)}
        parts = {
            corpus: self._caches[corpus].row(field, [self._place(names[row])[1] for row in rows])
            for corpus, rows in numbers.items()
        }
        width = max((part.shape[1] for part in parts.values()), default=0)
        joined = np.full((len(names), width), np.nan, np.float32)
        for corpus, part in parts.items():
            if part.shape[1]:  # every clip of the other one failed
                joined[numbers[corpus]] = part
        return joined

    def ragged(self, field: str, name: str) -> np.ndarray:
        """Returns a field of one clip whose length is the clip's own, as `Cache.ragged`."""
        corpus, own = self._place(name)
        return self._caches[corpus].ragged(field, own)

    def joined(self, field: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Returns a field of many clips: end to end ``(sum of lengths, ...)``, and lengths ``(n,)``."""
        parts = [self.ragged(field, name) for name in names]
        return np.concatenate(parts), np.array([len(part) for part in parts])

    def lengths(self, field: str, names: Sequence[str]) -> np.ndarray:
        """Returns how many rows of a field each of some clips has, as `Cache.lengths`."""
        places = [self._place(name) for name in names]
        lengths = np.zeros(len(names), np.int64)
        for corpus, cache in self._caches.items():
            rows = [row for row, (other, _) in enumerate(places) if other == corpus]
            lengths[rows] = cache.lengths(field, [places[row][1] for row in rows])
        return lengths

    def expect(self, identity: str) -> None:
        """Checks that the caches were made by what is asked for, as `Cache.expect`."""
        next(iter(self._caches.values())).expect(identity)

    def close(self) -> None:
        """Closes the files; the next read opens them again."""
        for cache in self._caches.values():
            cache.close()

    def _place(self, name: str) -> tuple[str, str]:
        if name not in self._places:
            raise UserError(f"The caches of {self.corpus} have no clip '{name}'. Extract what is missing.")
        return self._places[name]


def find_joined(root: Path, clips: pd.DataFrame, encoder: str, level: str = "utterance") -> JoinedCache:
    """Returns an encoder's caches of all corpora that some clips are from.

    Args:
        root: folder of the caches
        clips: as `JoinedCache`
        encoder: encoder name
        level: ``utterance`` or ``frame``

    Raises:
        UserError: a corpus has no such cache, or one made by other settings
    """
    corpora = dict.fromkeys(clips["corpus"])
    caches = {corpus: Cache(find_cache(root, corpus, encoder, level)) for corpus in corpora}
    return JoinedCache(caches, clips)

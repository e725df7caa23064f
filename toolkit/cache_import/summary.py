"""The account of an import: what became of the clips, and what was left out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from toolkit.cache import Cache
from toolkit.status import Status


class Summary(NamedTuple):
    """What an import made.

    Attributes:
        path: the cache
        corpus: name of the corpus
        counts: clips by status
        examples: the first clip of each status but ``ok``, with the reason
        left_over: what was found besides, which belongs to no clip
    """

    path: Path
    corpus: str
    counts: Counter[Status]
    examples: dict[Status, tuple[str, str]]
    left_over: list[str]

    @classmethod
    def of(cls, path: Path, left_over: list[str]) -> Self:
        """Returns the account of a finished cache."""
        examples: dict[Status, tuple[str, str]] = {}
        with Cache(path) as cache:
            statuses = [Status(status) for status in cache.status]
            for name, status, reason in zip(cache.names, statuses, cache.reason, strict=True):
                if status is not Status.OK:
                    examples.setdefault(status, (name, reason))
            return cls(path, cache.corpus, Counter(statuses), examples, left_over)

    def lines(self) -> list[str]:
        """Returns it in words."""
        total, ok = self.counts.total(), self.counts[Status.OK]
        lines = [f"{self.path}: {total} clips, {ok} ok, {total - ok} failed"]
        for status, (name, reason) in self.examples.items():
            lines.append(f"{self.counts[status]} {status}, such as '{name}': {reason}")
        if self.left_over:
            lines.append(f"left out, because no clip of '{self.corpus}' is called so: {few(self.left_over)}")
        return lines


def few(names: Sequence[str]) -> str:
    """Returns the first names, and how many there are besides.

    Examples:
        >>> few(["a", "b", "c", "d"])
        "'a', 'b', 'c' and 1 more"
        >>> few([])
        'nothing'
    """
    named = ", ".join(f"'{name}'" for name in names[:3]) or "nothing"
    return named + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""How an extraction runs: everything that changes its pace or its extent, and none of its numbers."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from toolkit.errors import UserError


class Shard(NamedTuple):
    """One of several equal parts of the work, made by a process of its own, here or on another machine.

    Attributes:
        index: which part, from 0
        count: how many parts there are
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns the shard that ``i/n`` names, ``i`` from 0 to n - 1.

        Raises:
            UserError: it is not of that form

        Examples:
            >>> Shard.parse("0/4")
            Shard(index=0, count=4)
        """
        index, slash, count = text.partition("/")
        if slash and index.isdecimal() and count.isdecimal() and int(index) < int(count):
            return cls(int(index), int(count))
        raise UserError(f"Shard '{text}' is not i/n with i from 0 to n - 1, as in 0/4, 1/4, 2/4 and 3/4.")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the command line says besides corpus, encoders and cache.

    Attributes:
        overwrite: starts anew even if a cache is there
        retry: tries failed clips again
        device: torch device as the user typed it
        workers: processes that read and encode; for encoders that fill the device alone, threads that read
        progress: shows a progress bar
        shard: makes this part of the clips only; `merge_shards` joins the parts
        trusted: checkpoints whose own code may run, by name
    """

    overwrite: bool = False
    retry: bool = False
    device: str = "cpu"
    workers: int = 1
    progress: bool = False
    shard: Shard | None = None
    trusted: frozenset[str] = frozenset()

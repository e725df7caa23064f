"""Origins: where features of clips are found that were made elsewhere."""

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

Level = Literal["utterance", "frame"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Origin(ABC):
    """A folder or file with features by clip name.

    Attributes:
        path: of the folder or file
        kind: what it is, in words
        key: array of the file, empty for a folder
        level: whether a clip has one vector or frames, ``None`` where that does not show
        names: clips that it has something for
        strangers: what else stands in it

    Args:
        path: of the folder or file
    """

    kind: str
    key: str = ""
    level: Level | None
    names: Collection[str]
    strangers: Sequence[str] = ()

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # '.' has a name too; a link keeps the name it was given

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """Returns what there is of a clip, ``(D,)`` or ``(T, D)``, padding removed; called by several threads.

        Raises:
            ClipError: it cannot be read
        """

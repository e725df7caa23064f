"""Folders of npy files, one per clip, as MERTools writes them."""

import os
import re
from pathlib import Path
from tokenize import TokenError

import numpy as np

from toolkit.cache_import.origin import Level, Origin
from toolkit.errors import ClipError
from toolkit.status import Status

_LEVELS: dict[str, Level] = {"UTT": "utterance", "FRA": "frame"}
# What numpy raises of a file that is cut off or is none of its own; MemoryError where a header asks for the impossible.
_DAMAGE = (ValueError, TypeError, SyntaxError, TokenError, EOFError, MemoryError, OSError)


class NpyFolder(Origin):
    """``FEATURE-UTT/CLIP.npy`` with vectors ``(D,)``, ``FEATURE-FRA/CLIP.npy`` with frames ``(T, D)``.

    The folders are those of MERTools' extraction scripts, which join the level by ``-`` or ``_``. A clip may also be a
    folder of one file per frame, whose numbers tell the order: frame 10 comes after frame 9.

    Args:
        path: the folder
    """

    kind = "folder of npy files"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.level = _LEVELS.get(re.split("[-_]", self.path.name)[-1].upper())
        self._files: set[str] = set()
        folders, self.strangers = set(), []
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.add(entry.name)
                elif entry.name.endswith(".npy"):
                    self._files.add(entry.name.removesuffix(".npy"))
                else:
                    self.strangers.append(entry.name)
        self.names = self._files | folders

    def read(self, name: str) -> np.ndarray:
        """Returns the clip's file, or its frames' files one below the other; see `Origin`."""
        if name in self._files:
            return _load(self.path / f"{name}.npy")
        return _stack(self.path / name)


def _stack(folder: Path) -> np.ndarray:
    names = sorted((name for name in os.listdir(folder) if name.endswith(".npy")), key=_in_order)
    frames = [_load(folder / name).reshape(-1) for name in names]
    sizes = sorted({len(frame) for frame in frames})
    if len(sizes) > 1:
        raise ClipError(Status.UNREADABLE, f"its frames have {sizes[0]} to {sizes[-1]} numbers, not as many each")
    return np.array(frames)


def _in_order(name: str) -> list[str | int]:
    """Returns a key by which names sort as people count: words and numbers in turn, the numbers by their value."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d+)", name))]


def _load(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except _DAMAGE as error:
        reason = " ".join(f"{path.name} cannot be read: {error}".split())
        raise ClipError(Status.UNREADABLE, reason) from error

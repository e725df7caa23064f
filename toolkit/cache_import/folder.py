"""Folders of npy files, one per clip, as MERTools writes them."""

import io
import math
import os
import re
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError

import numpy as np

from toolkit.cache_import.origin import Level, Origin
from toolkit.errors import ClipError
from toolkit.status import Status

_LEVELS: dict[str, Level] = {"UTT": "utterance", "FRA": "frame"}
# What numpy raises of a file that is cut off or is none of its own.
_DAMAGE = (ValueError, TypeError, SyntaxError, TokenError, EOFError, OSError)


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
        return _array(path.read_bytes())
    except _DAMAGE as error:
        reason = " ".join(f"{path.name} cannot be read: {error}".split())
        raise ClipError(Status.UNREADABLE, reason) from error


def _array(content: bytes) -> np.ndarray:
    """Returns the array of an npy file, read-only.

    ``numpy.load`` reads a small file in five pieces and parses its header with Python's own parser, which takes longer
    than all the rest; the headers of a folder are alike.
    """
    size = 2 if content[6:7] == b"\x01" else 4  # bytes that say how long the header is, by the format's version
    start = 8 + size + int.from_bytes(content[8 : 8 + size], "little")
    shape, is_fortran, dtype = _header(content[:start])
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled")
    count = math.prod(shape)
    values = np.frombuffer(content, dtype, count, start) if count else np.empty(0, dtype)
    return values.reshape(shape, order="F" if is_fortran else "C")


@lru_cache(maxsize=4096)
def _header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Returns shape, whether the first axis changes fastest, and number type."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise ValueError(f"its format has version {version[0]}.{version[1]}, which is for tables with named columns")

"""A growing array that stays in memory while it is small and goes to a temporary file when it is not."""

import tempfile
from typing import BinaryIO

import numpy as np

from toolkit.errors import UserError

LIMIT = 64 * 1024 * 1024  # bytes held in memory; several clips may be on their way at once


class NoRoomError(UserError, OSError):
    """The folder for temporary files is full: no clip's fault, so it ends the run."""


class Spool:
    """Rows appended one block after the other, read back as one array.

    The file lies in the system's folder for temporary files, which the environment variable ``TMPDIR`` names.

    Args:
        limit: bytes from which on the rows are kept in a temporary file, which vanishes with the array
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._blocks: list[np.ndarray] = []
        self._like: np.ndarray | None = None  # no rows, but their type and width
        self._file: BinaryIO | None = None
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, block: np.ndarray | bytes) -> None:
        """Adds rows ``(n, ...)``, all blocks of one type and width; bytes are ``(n,)`` uint8.

        Raises:
            ValueError: the block differs from those before it in type or width
            NoRoomError: there is no room for the temporary file
        """
        rows = np.frombuffer(block, np.uint8) if isinstance(block, bytes) else block
        if self._like is None:
            self._like = np.empty((0, *rows.shape[1:]), rows.dtype)
        if (rows.dtype, rows.shape[1:]) != (self._like.dtype, self._like.shape[1:]):
            raise ValueError(f"a block of {_kind(rows)} after blocks of {_kind(self._like)}")
        self._rows += len(rows)
        if self._file is None and self._rows * _row_bytes(rows) <= self.limit:
            self._blocks.append(rows.copy())  # it may be a view of a buffer that is large, or soon used again
            return
        if self._file is None:
            # Unbuffered, so that a full disk shows here and not when the file is closed.
            self._file = tempfile.TemporaryFile(prefix="mer-toolkit-", buffering=0)  # noqa: SIM115 -- lives with the array
            for earlier in self._blocks:
                self._write(earlier)
            self._blocks = []
        self._write(rows)

    def array(self) -> np.ndarray:
        """Returns all rows ``(N, ...)``; read-only and mapped from the file where there is one.

        Raises:
            ValueError: nothing was ever appended
        """
        if self._like is None:
            raise ValueError("an empty spool has no array: its type and width are not known")
        if self._file is not None:
            return np.memmap(self._file, self._like.dtype, mode="r", shape=(self._rows, *self._like.shape[1:]))
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]

    def _write(self, rows: np.ndarray) -> None:
        left = memoryview(np.ascontiguousarray(rows).reshape(-1).view(np.uint8))
        try:
            while left:
                left = left[self._file.write(left) :]  # a system may write less than it is given
        except OSError as error:
            size = self._rows * _row_bytes(rows) / 1e9
            raise NoRoomError(
                f"{size:.1f} GB of one clip do not fit into the temporary folder {tempfile.gettempdir()} "
                f"({error.strerror}); the environment variable TMPDIR names another"
            ) from error


def _kind(rows: np.ndarray) -> str:
    return f"{rows.dtype} {('n', *rows.shape[1:])}".replace("'", "")


def _row_bytes(rows: np.ndarray) -> int:
    return int(np.prod(rows.shape[1:])) * rows.itemsize

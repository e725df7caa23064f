"""A growing array that stays in memory while it is small and goes to a temporary file when it is not."""

import tempfile
from typing import BinaryIO

import numpy as np

LIMIT = 256 * 1024 * 1024  # bytes held in memory


class Spool:
    """Rows appended one block after the other, read back as one array.

    Args:
        limit: bytes from which on the rows are kept in a temporary file, which vanishes with the array
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._blocks: list[np.ndarray] = []
        self._file: BinaryIO | None = None
        self._bytes = 0
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, block: np.ndarray) -> None:
        """Adds rows ``(n, ...)``, all blocks of one type and width."""
        self._bytes += block.nbytes
        self._rows += len(block)
        if self._file is None and self._bytes <= self.limit:
            self._blocks.append(block)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="mer-toolkit-")  # noqa: SIM115 -- lives as long as the array
            for earlier in self._blocks:
                self._file.write(np.ascontiguousarray(earlier).data)
            self._blocks = self._blocks[:1]  # knows type and width
        self._file.write(np.ascontiguousarray(block).data)

    def array(self) -> np.ndarray:
        """Returns all rows ``(N, ...)``; read-only and mapped from the file where there is one.

        Raises:
            ValueError: nothing was ever appended
        """
        if not self._blocks:
            raise ValueError("an empty spool has no array: its type and width are not known")
        if self._file is None:
            return np.concatenate(self._blocks) if len(self._blocks) > 1 else self._blocks[0]
        self._file.flush()
        first = self._blocks[0]
        return np.memmap(self._file, first.dtype, mode="r", shape=(self._rows, *first.shape[1:]))

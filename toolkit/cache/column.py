"""Columns: the datasets of a cache in the making, each written from its first row to its last."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from toolkit.blocks import BLOCK_BYTES, blocks
from toolkit.cache.disk import require_space

_CHUNK_BYTES = 128 * 1024  # one read of a few hundred frames touches a handful of chunks


class Column:
    """A dataset that grows at its end; its latest rows wait in memory.

    Stored end to end where the number of rows is known before the first is written, in chunks where it is not.

    Args:
        file: the HDF5 file
        name: the dataset's
        dtype: type of a number
        shape: of one row
        rows: how many there will be, None where that is not known
    """

    def __init__(
        self, file: h5py.File, name: str, dtype: np.dtype, shape: tuple[int, ...], rows: int | None = None
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self._file = file
        self._name = name
        self._total = rows
        self._dataset: h5py.Dataset | None = None
        self._waiting: list[np.ndarray] = []
        self._length = 0
        self._written = 0

    def __len__(self) -> int:
        return self._length

    def append(self, values: np.ndarray) -> None:
        """Adds rows ``(n, ...)`` to those that wait."""
        self._waiting.append(values.astype(self.dtype, copy=False))
        self._length += len(values)

    def stream(self, values: np.ndarray) -> None:
        """Writes rows ``(n, ...)`` at once, in blocks, however many bytes they have."""
        self.flush()
        for block in blocks(values):
            self._write(block.astype(self.dtype, copy=False))
        self._length += len(values)

    def blank(self, rows: int) -> np.ndarray:
        """Returns rows of NaN, of zeros where the type has no NaN, that take no memory."""
        value = np.array(np.nan if self.dtype.kind == "f" else 0, self.dtype)
        return np.broadcast_to(value, (rows, *self.shape))

    def flush(self) -> None:
        """Writes the rows that wait, small pieces together and large ones without another copy."""
        waiting, self._waiting = self._waiting, []
        together: list[np.ndarray] = []
        size = 0
        for piece in waiting:
            if together and size + piece.nbytes > BLOCK_BYTES:
                self._write(_joined(together))
                together, size = [], 0
            together.append(piece)
            size += piece.nbytes
        if together:
            self._write(_joined(together))

    def finish(self) -> None:
        """Writes what is left, end to end where nothing was written before."""
        if self._dataset is None:
            self._total = self._length
        self.flush()

    def _write(self, values: np.ndarray) -> None:
        require_space(Path(self._file.filename).parent, values.nbytes)
        if self._dataset is None:
            self._dataset = self._create()
        stop = self._written + len(values)
        if self._total is None:
            self._dataset.resize(stop, axis=0)
        self._dataset[self._written : stop] = values
        self._written = stop

    def _create(self) -> h5py.Dataset:
        if self._total is not None:
            return self._file.create_dataset(self._name, (self._total, *self.shape), self.dtype)
        row_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        chunks = (max(1, _CHUNK_BYTES // max(1, row_bytes)), *[max(1, n) for n in self.shape])
        growing = {"chunks": chunks, "maxshape": (None, *self.shape)}
        return self._file.create_dataset(self._name, (0, *self.shape), self.dtype, **growing)


def _joined(pieces: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def write_strings(file: h5py.File, name: str, values: Sequence[str]) -> None:
    """Writes a column of strings, padded to one length where that takes no more room than strings of their own length.

    Padded ones are read seven times faster.
    """
    # An error's text may hold what UTF-8 or HDF5 cannot; it must not cost the cache.
    encoded = [value.replace("\0", " ").encode(errors="backslashreplace") for value in values]
    longest = max(map(len, encoded), default=1) or 1
    own_length = sum(map(len, encoded)) + 32 * len(encoded)  # where each is, and how long
    require_space(Path(file.filename).parent, own_length)
    dtype = h5py.string_dtype(length=longest if longest * len(encoded) <= own_length else None)
    file.create_dataset(name, data=np.array(encoded, dtype))

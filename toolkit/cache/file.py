"""The file under a cache: its datasets, read by row numbers."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from toolkit.blocks import consecutive, spans
from toolkit.cache.dataset import Dataset
from toolkit.errors import UserError

_MAPPED_BYTES = 64 * 1024 * 1024  # what is larger than this is mapped where it may be, not read


class CacheFile:
    """An HDF5 file, read only; opened at the first read and again in each process that uses it.

    Args:
        path: the file
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: tuple[int, h5py.File, int] | None = None  # process, file, its descriptor
        self._state: tuple[int, int] | None = None

    @property
    def hdf5(self) -> h5py.File:
        """The file as HDF5 sees it.

        Raises:
            UserError: it is not the file any more that it was when it was opened first
            OSError: it is not an HDF5 file
        """
        return self._opened()[1]

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """All datasets by name."""
        found: dict[str, Dataset] = {}

        def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = Dataset.of(item)

        self.hdf5.visititems(visit)
        return found

    def read(self, name: str, start: int, stop: int) -> np.ndarray:
        """Returns rows ``(stop - start, ...)`` of a dataset.

        Raises:
            UserError: the file was cut off since it was opened
        """
        dataset = self.datasets[name]
        if dataset.offset is None:
            return self.hdf5[name][start:stop]
        rows = np.empty((stop - start, *dataset.shape[1:]), dataset.dtype)
        self._fill(rows, dataset, start)
        return rows

    def read_into(self, rows: np.ndarray, name: str, start: int) -> None:
        """Fills ``(n, ...)``, contiguous and of the dataset's type, with rows of a dataset; errors as in `read`."""
        dataset = self.datasets[name]
        if dataset.offset is None:
            rows[:] = self.hdf5[name][start : start + len(rows)]
        else:
            self._fill(rows, dataset, start)

    def blocks(self, name: str, start: int, stop: int) -> Iterator[np.ndarray]:
        """Yields neighbouring rows of a dataset, a bounded number of bytes at a time."""
        for first, last in spans(start, stop, self.datasets[name].row_bytes):
            yield self.read(name, first, last)

    def view(self, name: str, start: int, stop: int) -> np.ndarray:
        """Returns what `read` does; where that is very large, read-only and mapped from the file."""
        dataset = self.datasets[name]
        if dataset.offset is None or (stop - start) * dataset.row_bytes <= _MAPPED_BYTES:
            return self.read(name, start, stop)
        return dataset.map(self._opened()[2])[start:stop]

    def take(self, name: str, numbers: np.ndarray) -> np.ndarray:
        """Returns the rows of some numbers, ``(n, ...)``, in any order."""
        runs = consecutive(numbers)
        if len(runs) == 1:
            return self.read(name, *runs[0])
        dataset = self.datasets[name]
        if dataset.offset is None:
            return self.hdf5[name][:][numbers]
        # Through a map the rows wanted are looked at, and no others; it goes with what memory it took.
        return dataset.map(self._opened()[2])[numbers]

    def close(self) -> None:
        """Closes the file; the next read opens it again."""
        if self._open is not None and self._open[0] == os.getpid():
            self._open[1].close()
        self._open = None

    def _fill(self, rows: np.ndarray, dataset: Dataset, start: int) -> None:
        try:
            dataset.fill(self._opened()[2], start, rows)
        except EOFError as error:
            raise UserError(f"{self.path} was cut off while it was being read ({error}). Start again.") from error

    def _opened(self) -> tuple[int, h5py.File, int]:
        # An HDF5 handle does not survive a fork (pytorch issue 11887): each process opens its own.
        if self._open is None or self._open[0] != os.getpid():
            handle = h5py.File(self.path, "r")
            descriptor = handle.id.get_vfd_handle()
            state = os.fstat(descriptor)
            self._state = self._state or (state.st_size, state.st_mtime_ns)
            # What is known of the old file, where its rows lie above all, would give another's numbers.
            if self._state != (state.st_size, state.st_mtime_ns):
                handle.close()
                raise UserError(f"{self.path} was written anew while it was being read. Start again.")
            self._open = os.getpid(), handle, descriptor
        return self._open

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": None}

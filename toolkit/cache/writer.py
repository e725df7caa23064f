"""Writing caches: under a temporary name, flushed to disk, renamed; a file that exists is whole."""

import dataclasses
import errno
import os
import shutil
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from toolkit.cache.reader import Cache
from toolkit.cache.record import FORMAT, Header, Record
from toolkit.errors import UserError
from toolkit.status import Status

_CHUNK_BYTES = 128 * 1024  # one read of a few hundred frames touches a handful of chunks
_BUFFER_BYTES = 16 * 1024 * 1024  # gathered before they are written, the bound of the writer's memory
_RESERVE_BYTES = 32 * 1024 * 1024  # a disk with less counts as full: HDF5 crashes the process when a write fails
_FLOAT16_LIMIT = 65504.0
_OPEN_PARTS = 8  # files open at once while merging; a large corpus has more parts than a process may open


class CacheWriter:
    """Appends records to a cache; nothing stands under the wanted name until all of it is on the disk.

    Args:
        path: file to make; an older one is replaced at the end
        header: attributes of the file
        half: stores float32 data as float16

    Raises:
        UserError: a value is too large for float16, or two clips differ in their dimensions
        OSError: the disk is full, or the folder cannot be written to
    """

    def __init__(self, path: Path, header: Header, *, half: bool = False) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._half = half
        path.parent.mkdir(parents=True, exist_ok=True)
        _require_space(path.parent, 0)
        self._file = h5py.File(self._temporary, "w")
        self._file.attrs["format"] = FORMAT
        for key, value in dataclasses.asdict(header).items():
            self._file.attrs[key] = value
        self._clips: list[tuple[str, str, str]] = []
        self._lengths: dict[str, list[int]] = {}  # per ragged group, one length per clip
        self._rows: dict[str, list[tuple[int, np.ndarray]]] = {}
        self._pieces: dict[str, list[np.ndarray]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._buffered = 0

    def append(self, record: Record) -> None:
        """Adds one clip; a failed one leaves NaN in its row and no frames.

        Raises:
            ValueError: fields of one group differ in length
            UserError: see `CacheWriter`
        """
        number = len(self._clips)
        self._clips.append((record.name, str(record.status), record.reason))
        if record.status is not Status.OK:
            return
        for field, values in record.row.items():
            values = self._checked(field, values, record.name)
            self._require_shape(field, values.shape, record.name)
            self._rows.setdefault(field, []).append((number, values))
        for field, values in record.ragged.items():
            group, _, _ = field.partition("/")
            lengths = self._lengths.setdefault(group, [])
            lengths.extend([0] * (number - len(lengths)))  # clips before it that failed
            if len(lengths) == number:
                lengths.append(len(values))
            elif lengths[number] != len(values):
                raise ValueError(f"{field} of '{record.name}' has length {len(values)}, not {lengths[number]}")
            values = self._checked(field, values, record.name)
            self._require_shape(field, values.shape[1:], record.name)
            self._pieces.setdefault(field, []).append(values)
        if self._buffered > _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what is left, puts the file on the disk and gives it its name.

        Raises:
            OSError: see `CacheWriter`
        """
        self._flush()
        count = len(self._clips)
        for column, values in zip(("name", "status", "reason"), zip(*self._clips, strict=True), strict=False):
            self._file.create_dataset(f"clips/{column}", data=list(values), dtype=h5py.string_dtype())
        for item in self._file.values():
            if isinstance(item, h5py.Dataset):
                item.resize(count, axis=0)
        for group, lengths in self._lengths.items():
            lengths.extend([0] * (count - len(lengths)))
            self._file[f"{group}/offset"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._file.close()
        with open(self._temporary, "rb+") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self.path)
        _sync_folder(self.path.parent)

    def abort(self) -> None:
        """Drops what was written; an older file of the same name stays as it was."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            self.abort()
            return
        try:
            self.close()
        except BaseException:
            self.abort()
            raise

    def _checked(self, field: str, values: np.ndarray, name: str) -> np.ndarray:
        values = np.asarray(values)
        if self._half and values.dtype == np.float32 and field in ("utterance", "frames/values"):
            if np.abs(values).max(initial=0) > _FLOAT16_LIMIT:
                raise UserError(
                    f"'{name}' has values beyond {_FLOAT16_LIMIT:.0f}, which float16 cannot hold. Store as float32."
                )
            values = values.astype(np.float16)
        self._buffered += values.nbytes
        return values

    def _flush(self) -> None:
        _require_space(self.path.parent, self._buffered)
        for field, pieces in self._rows.items():
            numbers, values = zip(*pieces, strict=True)
            dataset = self._dataset(field, values[0].shape, values[0].dtype)
            dataset.resize(max(numbers[-1] + 1, dataset.shape[0]), axis=0)
            dataset[list(numbers)] = np.stack(values)
        for field, pieces in self._pieces.items():
            dataset = self._dataset(field, pieces[0].shape[1:], pieces[0].dtype)
            start = dataset.shape[0]
            dataset.resize(start + sum(map(len, pieces)), axis=0)
            dataset[start:] = np.concatenate(pieces)
        self._rows, self._pieces, self._buffered = {}, {}, 0

    def _dataset(self, field: str, shape: tuple[int, ...], dtype: np.dtype) -> h5py.Dataset:
        if field not in self._file:
            rows = max(1, _CHUNK_BYTES // max(1, int(np.prod(shape)) * dtype.itemsize))
            chunks = (rows, *[max(1, n) for n in shape])
            fill = np.nan if dtype.kind == "f" else None
            self._file.create_dataset(field, (0, *shape), dtype, chunks=chunks, maxshape=(None, *shape), fillvalue=fill)
        return self._file[field]

    def _require_shape(self, field: str, shape: tuple[int, ...], name: str) -> None:
        expected = self._shapes.setdefault(field, shape)
        if shape != expected:
            raise UserError(f"'{name}' gave {field} of shape {shape}, the clips before it {expected}.")


def merge(path: Path, header: Header, parts: Iterable[Path], names: Sequence[str], *, half: bool = False) -> None:
    """Makes one cache out of several; the first part that has a clip gives it.

    Args:
        path: file to make; it may be one of the parts
        header: attributes of the new file
        parts: cache files of the same identity
        names: the clips in the order wanted
        half: stores float32 data as float16

    Raises:
        KeyError: no part has one of the names
    """
    place: dict[str, Cache] = {}
    for part in parts:
        with Cache(part) as cache:
            place |= {name: cache for name in cache.names if name not in place}
    opened: deque[Cache] = deque()
    with CacheWriter(path, header, half=half) as writer:
        for name in names:
            cache = place[name]
            if cache not in opened:
                opened.append(cache)
                if len(opened) > _OPEN_PARTS:
                    opened.popleft().close()
            writer.append(cache.clip(name))
        while opened:
            opened.pop().close()


def _require_space(folder: Path, size: int) -> None:
    """Raises where a folder's disk has no room for ``size`` bytes and the reserve."""
    if shutil.disk_usage(folder).free < size + _RESERVE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _sync_folder(folder: Path) -> None:
    """Puts the renaming itself on the disk, where the system allows opening folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

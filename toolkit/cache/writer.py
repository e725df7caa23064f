"""Writing caches: under a temporary name, flushed to disk, renamed; a file that exists is whole."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from toolkit.blocks import blocks
from toolkit.cache.column import Column, write_strings
from toolkit.cache.disk import require_space, sync_folder
from toolkit.cache.reader import Cache
from toolkit.cache.record import FORMAT, Header, Record
from toolkit.errors import UserError
from toolkit.status import Status

_BUFFER_BYTES = 16 * 1024 * 1024  # gathered before they are written, the bound of the writer's memory
_FLOAT16_LIMIT = 65504.0
_HALVED = ("utterance", "frames/values")
_PAGE = 4096  # large datasets start at a multiple of this, so that maps of them are aligned


class CacheWriter:
    """Appends records to a cache; nothing stands under the wanted name until all of it is on the disk.

    Fields that are larger than the buffer, of one clip or of all, are written piece by piece.

    Args:
        path: file to make; an older one is replaced at the end
        header: attributes of the file
        half: stores float32 data as float16
        rows: how many rows each field will have; what is known beforehand is stored end to end, ready for fast reading

    Raises:
        UserError: a value is too large for float16, or two clips differ in their dimensions
        OSError: the disk is full, or the folder cannot be written to
    """

    def __init__(
        self, path: Path, header: Header, *, half: bool = False, rows: Mapping[str, int] | None = None
    ) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._half = half
        self._rows = rows or {}
        path.parent.mkdir(parents=True, exist_ok=True)
        require_space(path.parent, 0)
        self._file = h5py.File(self._temporary, "w", alignment_threshold=_PAGE, alignment_interval=_PAGE)
        self._file.attrs["format"] = FORMAT
        for key, value in dataclasses.asdict(header).items():
            self._file.attrs[key] = value
        self._clips: list[tuple[str, str, str]] = []
        self._lengths: dict[str, list[int]] = {}  # per ragged group, one length per clip
        self._columns: dict[str, Column] = {}
        self._waiting = 0  # bytes

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
            self._put(field, np.asarray(values)[None], record.name, number)
        for field, values in record.ragged.items():
            lengths = self._lengths_of(field, number)
            if len(lengths) == number:
                lengths.append(len(values))
            elif lengths[number] != len(values):
                raise ValueError(f"{field} of '{record.name}' has length {len(values)}, not {lengths[number]}")
            self._put(field, np.asanyarray(values), record.name)

    def copy(self, cache: Cache, start: int, stop: int) -> None:
        """Adds neighbouring clips of another cache, many at once.

        Args:
            cache: where from
            start: number of the first clip
            stop: number of the one after the last

        Raises:
            UserError: see `CacheWriter`
        """
        step = 1 if self._half else stop - start  # a clip whose values are too large for half precision is named
        for first in range(start, stop, step):
            self._copy(cache, first, first + step)

    def close(self) -> None:
        """Writes what is left, puts the file on the disk and gives it its name.

        Raises:
            ValueError: a clip had some fields of a group and not all
            OSError: see `CacheWriter`
        """
        for column, values in zip(("name", "status", "reason"), zip(*self._clips, strict=True), strict=False):
            write_strings(self._file, f"clips/{column}", values)
        for field, column in self._columns.items():
            if "/" not in field:
                self._add(column, column.blank(len(self._clips) - len(column)))
            elif len(column) != sum(self._lengths_of(field, 0)):
                raise ValueError(f"{field} has {len(column)} rows, not one for each of its group's: a clip lacked it")
            column.finish()
        for group, lengths in self._lengths.items():
            lengths.extend([0] * (len(self._clips) - len(lengths)))
            self._file[f"{group}/offset"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._file.close()
        with open(self._temporary, "rb+") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self.path)
        sync_folder(self.path.parent)

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

    def _copy(self, cache: Cache, start: int, stop: int) -> None:
        number = len(self._clips)
        self._clips += zip(*(column[start:stop] for column in (cache.names, cache.status, cache.reason)), strict=True)
        for field in cache.fields:
            if "/" not in field:
                for block in cache.file.blocks(field, start, stop):
                    self._put(field, block, cache.names[start], number)
                continue
            offset = cache.offset(field)[start : stop + 1]
            lengths = self._lengths_of(field, number)
            if len(lengths) == number:
                lengths += np.diff(offset).tolist()
            for block in cache.file.blocks(field, offset.item(0), offset.item(-1)):
                self._put(field, block, cache.names[start])

    def _lengths_of(self, field: str, number: int) -> list[int]:
        """Returns the lengths of the clips of a ragged field's group, those before clip ``number`` that failed too."""
        lengths = self._lengths.setdefault(field.partition("/")[0], [])
        lengths.extend([0] * (number - len(lengths)))
        return lengths

    def _put(self, field: str, values: np.ndarray, name: str, number: int | None = None) -> None:
        """Adds rows ``(n, ...)`` to a field.

        Args:
            field: its name
            values: of one clip, or of several
            name: the clip, or the first of them
            number: of the row, where there is one for each clip; those before it that are not there yet failed
        """
        dtype = values.dtype
        if self._half and dtype == np.float32 and field in _HALVED:
            dtype = np.dtype(np.float16)
            _require_half(values, name)
        if field not in self._columns:
            self._columns[field] = Column(self._file, field, dtype, values.shape[1:], self._rows.get(field))
        column = self._columns[field]
        if values.shape[1:] != column.shape or not np.can_cast(dtype, column.dtype):
            raise UserError(
                f"'{name}' gave {field} of shape {values.shape[1:]} and type {dtype}, "
                f"the clips before it {column.shape} and {column.dtype}."
            )
        if number is not None and number > len(column):
            self._add(column, column.blank(number - len(column)))
        self._add(column, values)

    def _add(self, column: Column, values: np.ndarray) -> None:
        if values.nbytes > _BUFFER_BYTES:
            column.stream(values)
            return
        column.append(values)
        self._waiting += values.nbytes
        if self._waiting > _BUFFER_BYTES:
            for waiting in self._columns.values():
                waiting.flush()
            self._waiting = 0


def _require_half(values: np.ndarray, name: str) -> None:
    if any(np.abs(block).max(initial=0) > _FLOAT16_LIMIT for block in blocks(values)):
        raise UserError(
            f"'{name}' has values beyond {_FLOAT16_LIMIT:.0f}, which float16 cannot hold. Store as float32."
        )

"""Writing caches: under a temporary name, flushed to disk, renamed; a file that exists is whole."""

import dataclasses
import os
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
_FLOAT16_LIMIT = 65504.0


class CacheWriter:
    """Appends records to a cache; nothing stands under the wanted name until all of it is on the disk.

    Args:
        path: file to make; an older one is replaced at the end
        header: attributes of the file
        half: stores float32 data as float16

    Raises:
        UserError: a value is too large for float16, or two clips differ in their dimensions
    """

    def __init__(self, path: Path, header: Header, *, half: bool = False) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._half = half
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = h5py.File(self._temporary, "w")
        self._file.attrs["format"] = FORMAT
        for key, value in dataclasses.asdict(header).items():
            self._file.attrs[key] = value
        self._clips: list[tuple[str, str, str]] = []
        self._lengths: dict[str, list[int]] = {}  # per ragged group, one length per clip
        self._rows: dict[str, list[tuple[int, np.ndarray]]] = {}
        self._pieces: dict[str, list[np.ndarray]] = {}
        self._buffered = 0

    def append(self, record: Record) -> None:
        """Adds one clip; a failed one leaves NaN in its row and no frames."""
        number = len(self._clips)
        self._clips.append((record.name, str(record.status), record.reason))
        if record.status is not Status.OK:
            return
        for field, values in record.row.items():
            self._rows.setdefault(field, []).append((number, self._checked(field, values, record.name)))
        for field, values in record.ragged.items():
            group, _, _ = field.partition("/")
            lengths = self._lengths.setdefault(group, [])
            lengths.extend([0] * (number - len(lengths)))  # clips before it that failed
            if len(lengths) == number:
                lengths.append(len(values))
            elif lengths[number] != len(values):
                raise ValueError(f"{field} of '{record.name}' has length {len(values)}, not {lengths[number]}")
            self._pieces.setdefault(field, []).append(self._checked(field, values, record.name))
        if self._buffered > _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what is left, puts the file on the disk and gives it its name."""
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
        self.close() if kind is None else self.abort()

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
        for field, pieces in self._rows.items():
            numbers, values = zip(*pieces, strict=True)
            dataset = self._dataset(field, values[0].shape, values[0].dtype)
            dataset.resize(max(numbers[-1] + 1, dataset.shape[0]), axis=0)
            self._require_shape(dataset, [value.shape for value in values])
            dataset[list(numbers)] = np.stack(values)
        for field, pieces in self._pieces.items():
            dataset = self._dataset(field, pieces[0].shape[1:], pieces[0].dtype)
            start = dataset.shape[0]
            self._require_shape(dataset, [piece.shape[1:] for piece in pieces])
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

    def _require_shape(self, dataset: h5py.Dataset, shapes: Sequence[tuple[int, ...]]) -> None:
        for shape in shapes:
            if shape != dataset.shape[1:]:
                raise UserError(f"{dataset.name}: a clip gave shape {shape}, the clips before it {dataset.shape[1:]}.")


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
    caches = [Cache(part) for part in parts]
    place = {name: cache for cache in reversed(caches) for name in cache.names}
    with CacheWriter(path, header, half=half) as writer:
        for name in names:
            writer.append(place[name].clip(name))
    for cache in caches:
        cache.close()


def _sync_folder(folder: Path) -> None:
    """Puts the renaming itself on the disk, where the system allows opening folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

"""Reading caches: by clip name, without loading the file, from any number of processes and threads."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from toolkit.blocks import consecutive
from toolkit.cache.file import CacheFile
from toolkit.cache.record import FORMAT, Record
from toolkit.errors import UserError
from toolkit.status import Status


class Cache:
    """A cache, read only; its file is opened at the first read and again in each process that uses it.

    As a context manager it closes the file at the end, and opens it again should it be read after that.

    Attributes:
        path: the file
        file: its datasets by row numbers
        corpus: corpus name
        identity: hash of what made the numbers
        spec: what made the numbers
        root: folder that the clips lay in, empty where it is not known

    Raises:
        UserError: no such file, not a cache, or one of another format
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.file = CacheFile(self.path)
        self._offsets: dict[str, np.ndarray] = {}  # by group
        if not self.path.is_file():
            raise UserError(f"No cache at {self.path}. Run `python -m feature_extraction` to make it.")
        with self._damage_named():
            self._read_header()

    def _read_header(self) -> None:
        attributes = self.file.hdf5.attrs
        if int(attributes["format"]) != FORMAT:
            raise UserError(
                f"{self.path} has cache format {attributes['format']}, expected {FORMAT}. Extract with --overwrite."
            )
        self.corpus = str(attributes["corpus"])
        self.identity = str(attributes["identity"])
        self.created = str(attributes["created"])
        self.root = str(attributes.get("root", ""))
        self.spec: dict[str, Any] = json.loads(attributes["spec"])
        self.versions: dict[str, str] = json.loads(attributes["versions"])
        self._clips = len(self.file.hdf5["clips/name"])

    def __len__(self) -> int:
        return self._clips

    def __contains__(self, name: str) -> bool:
        return name in self.index

    @cached_property
    def names(self) -> list[str]:
        """Clip names in the file's order."""
        return self._strings("name")

    @cached_property
    def status(self) -> list[str]:
        """What became of each clip."""
        return self._strings("status")

    @cached_property
    def reason(self) -> list[str]:
        """Why each failed clip failed, empty for the others."""
        return self._strings("reason")

    @cached_property
    def index(self) -> dict[str, int]:
        """Row number of each clip name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def fields(self) -> dict[str, tuple[int, ...]]:
        """Shape of every dataset but ``clips/*`` and the offsets, by its name."""
        return {
            name: dataset.shape
            for name, dataset in self.file.datasets.items()
            if not name.startswith("clips/") and not name.endswith("/offset")
        }

    def expect(self, identity: str) -> None:
        """Checks that the cache was made by what is asked for.

        Raises:
            UserError: it was not; the message names both identities
        """
        if self.identity != identity:
            raise UserError(
                f"{self.path} was made with other settings of '{self.spec.get('name')}': identity {self.identity}, "
                f"expected {identity}. Extract again with --overwrite, or into another --cache."
            )

    def row(self, field: str, names: Sequence[str]) -> np.ndarray:
        """Returns a fixed-shape field of some clips, ``(n, D)`` float32; failed clips are rows of NaN.

        Raises:
            UserError: a clip is not in the cache
        """
        numbers = self._numbers(names)
        if field not in self.fields:  # every clip failed, so the shape was never known
            return np.full((len(names), 0), np.nan, np.float32)
        return self.file.take(field, numbers).astype(np.float32, copy=False)

    def ragged(self, field: str, name: str) -> np.ndarray:
        """Returns a field of one clip whose length is the clip's own, such as ``frames/values``, in microseconds.

        Returns:
            ``(T, ...)`` of the type stored, none of a failed clip; read-only and mapped where it is very large

        Raises:
            UserError: the cache has no such clip or field
        """
        offset = self.offset(field)
        number = self._number(name)
        return self.file.view(field, offset.item(number), offset.item(number + 1))

    def joined(self, field: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Returns a field as `ragged` does, of many clips: end to end ``(sum of lengths, ...)``, and lengths ``(n,)``.

        Raises:
            UserError: the cache has no such clip or field
        """
        offset = self.offset(field)
        numbers = self._numbers(names)
        lengths = np.diff(offset)[numbers]
        dataset = self.file.datasets[field]
        rows = np.empty((int(lengths.sum()), *dataset.shape[1:]), dataset.dtype)
        done = 0
        for first, last in consecutive(numbers):
            start, stop = offset.item(first), offset.item(last)
            self.file.read_into(rows[done : done + stop - start], field, start)
            done += stop - start
        return rows, lengths

    def lengths(self, field: str, names: Sequence[str]) -> np.ndarray:
        """Returns how many rows of a ragged field each of some clips has, ``(n,)`` int64, 0 of a failed clip.

        Raises:
            UserError: the cache has no such clip or field
        """
        numbers = self._numbers(names)
        if field not in self.fields and Status.OK not in self.status:  # so the field was never known
            return np.zeros(len(names), np.int64)
        return np.diff(self.offset(field))[numbers]

    def clip(self, name: str) -> Record:
        """Returns everything the cache holds of one clip.

        Raises:
            UserError: the cache has no such clip
        """
        number = self._number(name)
        record = Record(name, Status(self.status[number]), self.reason[number], {}, {})
        if record.status is not Status.OK:
            return record
        for field in self.fields:
            if "/" in field:
                record.ragged[field] = self.ragged(field, name)
            else:
                record.row[field] = self.file.read(field, number, number + 1)[0]
        return record

    def offset(self, field: str) -> np.ndarray:
        """Returns ``(N + 1,)``, the rows of a ragged field between which each clip lies.

        Raises:
            UserError: the cache has no such field
        """
        if "/" not in field or field not in self.fields:
            there = ", ".join(self.fields) or "nothing but failed clips"
            raise UserError(f"{self.path} has no {field}, it holds {there}. Frames are kept with --level frame.")
        group = field.partition("/")[0]
        if group not in self._offsets:
            self._offsets[group] = self.file.read(f"{group}/offset", 0, len(self) + 1)
        return self._offsets[group]

    def close(self) -> None:
        """Closes the file; the next read opens it again."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, KeyError) as error:
            raise UserError(f"{self.path} is not a readable cache ({error}). Extract with --overwrite.") from error

    def _strings(self, column: str) -> list[str]:
        with self._damage_named():
            return [value.decode() for value in self.file.read(f"clips/{column}", 0, len(self)).tolist()]

    def _number(self, name: str) -> int:
        number = self.index.get(name)
        return self._numbers((name,)).item() if number is None else number

    def _numbers(self, names: Sequence[str]) -> np.ndarray:
        if len(names) == len(self) and list(names) == self.names:  # all of them in order: told without the index
            return np.arange(len(self))
        try:
            return np.fromiter(map(self.index.__getitem__, names), np.intp, len(names))
        except KeyError:
            absent = [name for name in names if name not in self.index]
        raise UserError(
            f"{self.path} has no clip '{absent[0]}' ({len(names) - len(absent)} of {len(names)} present). "
            "Run the extraction again; it adds what is missing."
        )

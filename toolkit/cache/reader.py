"""Reading caches: by clip name, without loading the file, from any number of processes."""

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from toolkit.cache.record import FORMAT, Record
from toolkit.errors import UserError
from toolkit.status import Status


class Cache:
    """A cache file, read only; opened at the first read and again in each process that uses it.

    As a context manager it closes the file at the end, and opens it again should it be read after that.

    Attributes:
        path: the file
        corpus: corpus name
        identity: hash of what made the numbers
        spec: what made the numbers
        root: folder that the clips lay in, empty where it is not known
        names: clip names in the file's order
        status: ``(N,)`` strings
        reason: ``(N,)`` strings

    Raises:
        UserError: no such file, not a cache, or one of another format
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._handle: h5py.File | None = None
        self._process = 0
        if not self.path.is_file():
            raise UserError(f"No cache at {self.path}. Run `python -m feature_extraction` to make it.")
        try:
            self._read_header()
        except (OSError, KeyError) as error:
            raise UserError(f"{self.path} is not a readable cache ({error}). Extract with --overwrite.") from error

    def _read_header(self) -> None:
        attributes = self._file.attrs
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
        self.names, self.status, self.reason = (
            list(self._file[f"clips/{column}"].asstr()[:]) for column in ("name", "status", "reason")
        )

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self.index

    @cached_property
    def index(self) -> dict[str, int]:
        """Row number of each clip name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def fields(self) -> dict[str, tuple[int, ...]]:
        """Shape of every dataset but ``clips/*`` and the offsets, by its name."""
        shapes: dict[str, tuple[int, ...]] = {}

        def visit(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset) and not name.startswith("clips/") and not name.endswith("/offset"):
                shapes[name] = item.shape

        self._file.visititems(visit)
        return shapes

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
        if field not in self._file:  # every clip failed, so the shape was never known
            return np.full((len(names), 0), np.nan, np.float32)
        return self._file[field][:][numbers].astype(np.float32)

    def clip(self, name: str) -> Record:
        """Returns everything the cache holds of one clip."""
        number = self._numbers([name])[0]
        record = Record(name, Status(self.status[number]), self.reason[number], {}, {})
        if record.status is not Status.OK:
            return record
        for field in self.fields:
            group, slash, _ = field.partition("/")
            if slash:
                start, stop = self._offsets(group)[number : number + 2]
                record.ragged[field] = self._file[field][start:stop]
            else:
                record.row[field] = self._file[field][number]
        return record

    def close(self) -> None:
        """Closes the file; the next read opens it again."""
        if self._handle is not None and self._process == os.getpid():
            self._handle.close()
        self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_handle": None}

    @property
    def _file(self) -> h5py.File:
        # An HDF5 handle does not survive a fork (pytorch issue 11887): each process opens its own.
        if self._handle is None or self._process != os.getpid():
            self._handle, self._process = h5py.File(self.path, "r"), os.getpid()
        return self._handle

    def _offsets(self, group: str) -> np.ndarray:
        loaded = self.__dict__.setdefault("_loaded_offsets", {})
        if group not in loaded:
            loaded[group] = self._file[f"{group}/offset"][:]
        return loaded[group]

    def _numbers(self, names: Sequence[str]) -> list[int]:
        absent = [name for name in names if name not in self.index]
        if absent:
            raise UserError(
                f"{self.path} has no clip '{absent[0]}' ({len(names) - len(absent)} of {len(names)} present). "
                "Run the extraction again; it adds what is missing."
            )
        return [self.index[name] for name in names]


def cache_path(root: Path, corpus: str, modality: str, name: str, level: str = "utterance") -> Path:
    """Returns where the cache of one corpus, encoder and level of detail stands."""
    return root / corpus / modality / f"{name}{'.frames' if level == 'frame' else ''}.h5"


def find_cache(root: Path, corpus: str, encoder: str) -> Path:
    """Returns an encoder's cache in whichever modality folder it stands, the frame-level one if there is no other.

    Raises:
        UserError: there is none, or several
    """
    for suffix in (".h5", ".frames.h5"):
        found = sorted(path for path in (root / corpus).glob(f"*/{encoder}{suffix}") if path.parent.name != "faces")
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"Several caches are called '{encoder}': {', '.join(map(str, found))}. Keep one.")
    known = sorted({path.name.split(".")[0] for path in (root / corpus).glob("*/*.h5") if path.parent.name != "faces"})
    raise UserError(
        f"No cache of '{encoder}' for corpus '{corpus}' under {root}; there is: {', '.join(known) or 'none'}. Make it "
        f"with `python -m feature_extraction audio|visual|text --corpus REF --encoder {encoder} --cache {root}`."
    )

"""Small caches with known numbers."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from toolkit.cache import CacheWriter, Header, Record
from toolkit.status import Status

HEADER = Header(
    "demo", '{"name": "ramp", "licence": "Apache-2.0"}', "0123456789abcdef", "{}", "2024-01-01T00:00:00+00:00"
)


def ramp(name: str, start: float, length: int) -> Record:
    """A clip whose ``(length, 3)`` frames count up from ``start``."""
    values = np.arange(start, start + 3 * length, dtype=np.float32).reshape(length, 3)
    frames = {"frames/values": values, "frames/time": np.arange(length) / 10}
    return Record(name, row={"utterance": values.mean(axis=0)}, ragged=frames)


@pytest.fixture
def records() -> list[Record]:
    """Four clips: one failed at the start, one in the middle."""
    return [
        Record("a", Status.NO_FACE, "no face in 20 frames"),
        ramp("b", 0, 2),
        Record("c", Status.UNREADABLE, "moov atom not found"),
        ramp("d", 100, 3),
    ]


@pytest.fixture
def cache_file(tmp_path: Path, records: list[Record]) -> Path:
    """The four clips in a file."""
    path = tmp_path / "demo" / "visual" / "ramp.h5"
    with CacheWriter(path, HEADER) as writer:
        for record in records:
            writer.append(record)
    return path


@pytest.fixture
def header() -> Header:
    """Attributes of the file."""
    return HEADER


@pytest.fixture
def rewrite() -> Callable[..., None]:
    """Stores a cache as another program, or this one in earlier days, would."""

    def store(path: Path, *, order: str = "=", strings: int | None = None, **options) -> None:
        with h5py.File(path) as file:
            attributes, values = dict(file.attrs), {}
            file.visititems(
                lambda name, item: values.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None
            )
        with h5py.File(path, "w") as file:
            file.attrs.update(attributes)
            for name, data in values.items():
                dtype = (
                    h5py.string_dtype(length=strings) if name.startswith("clips/") else data.dtype.newbyteorder(order)
                )
                file.create_dataset(name, data=data.astype(dtype), dtype=dtype, **options)

    return store


@pytest.fixture
def assert_same() -> Callable[[Record, Record], None]:
    """Compares two records in every array."""

    def compare(first: Record, second: Record) -> None:
        assert first[:3] == second[:3]
        for one, other in zip(first[3:], second[3:], strict=True):
            assert one.keys() == other.keys()
            for field in one:
                np.testing.assert_array_equal(one[field], other[field])

    return compare

"""One clip as it goes into a cache, and the header that says where the numbers come from."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import NamedTuple

import numpy as np

from toolkit.status import Status

FORMAT = 1  # raised when files written before can no longer be read
_LIBRARIES = ("numpy", "h5py", "torch", "transformers", "av", "opencv-python-headless", "librosa", "opensmile")


class Record(NamedTuple):
    """One clip of a cache.

    Attributes:
        name: clip name
        status: what became of it; a failed clip has no data
        reason: why it failed, empty otherwise
        row: arrays of a fixed shape, such as ``{"utterance": (D,)}``
        ragged: arrays whose first axis differs from clip to clip, named ``group/field``, such as
            ``{"frames/values": (T, D), "frames/time": (T,)}``; the fields of one group share their length
    """

    name: str
    status: Status = Status.OK
    reason: str = ""
    row: dict[str, np.ndarray] = {}  # noqa: RUF012 - read only
    ragged: dict[str, np.ndarray] = {}  # noqa: RUF012 - read only


def installed_versions() -> dict[str, str]:
    """Returns the versions of the libraries that make the numbers, those installed, without importing them."""
    versions = {}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True)
class Header:
    """The attributes of a cache file.

    Attributes:
        corpus: corpus name
        spec: what made the numbers, as JSON
        identity: hash of what made the numbers
        versions: library versions, as JSON
        created: time of writing, ISO 8601
        root: folder that the clips lay in, empty where it is not known
    """

    corpus: str
    spec: str
    identity: str
    versions: str = field(default_factory=lambda: json.dumps(installed_versions(), sort_keys=True))
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    root: str = ""

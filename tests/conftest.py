"""Fixtures that every room's tests share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from references.face_networks import FaceVectors

# Before torch is imported: networks of tests are too small to share among cores, and sharing makes them slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs {name}/ beside the checkout, in ../shared, which is absent here")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of small real data; each sub-folder has a README."""
    return _folder("data")


@pytest.fixture(scope="session")
def parity() -> Path:
    """Folder of reference weights, inputs and outputs."""
    return _folder("parity")


@pytest.fixture(scope="session")
def face_network(parity: Path) -> "Callable[[str], FaceVectors]":
    """Reads the vectors ``cnn_NAME``, whose weights and frames are formulas: ``face_network("emonet")``."""
    from references.face_networks import read

    return lambda name: read(parity / f"cnn_{name}.safetensors")

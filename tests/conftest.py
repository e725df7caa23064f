"""Fixtures that every room's tests share."""

import json
import math
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

if TYPE_CHECKING:
    import torch

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


class Vectors(NamedTuple):
    """A face network of the reference implementation.

    Attributes:
        keys: shape and number type of every entry of its state dictionary
        weights: the entries by the recipe ``hash``
        frames: what it looks at, ``(2, 210, 180, 3)`` uint8 RGB
        tensors: its ``inputs/...`` and ``outputs_hash/...``
    """

    keys: dict[str, tuple[tuple[int, ...], str]]
    weights: "dict[str, torch.Tensor]"
    frames: np.ndarray
    tensors: dict[str, np.ndarray]

    def assert_input(self, values: np.ndarray) -> None:
        """The frames are prepared as the reference prepares them: ``(2, 3, height, width)``."""
        scale = np.abs(self.tensors["inputs/image_corner"]).max()
        for name, part in (("corner", values[:, :, :8, :8]), ("rowmean", values.mean(axis=3, dtype=np.float64))):
            np.testing.assert_allclose(part, self.tensors[f"inputs/image_{name}"], rtol=0, atol=1e-6 * scale)

    def assert_output(self, values: np.ndarray, name: str = "embedding") -> None:
        """The network gives what the reference gives, to the tolerance that came with the vectors."""
        expected = self.tensors[f"outputs_hash/{name}"]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.fixture(scope="session")
def face_network(parity: Path) -> Callable[[str], Vectors]:
    """Reads the vectors ``cnn_NAME``, whose weights and frames are formulas: ``face_network("emonet")``."""

    @lru_cache(maxsize=1)
    def read(name: str) -> Vectors:
        from safetensors.numpy import load_file

        facts = json.loads((parity / f"cnn_{name}.json").read_text())
        keys = json.loads((parity / f"cnn_{name}_keys.json").read_text())
        keys = {key: (tuple(shape), dtype) for key, (shape, dtype) in keys.items()}
        weights = {key: _hashed(i, key, keys[key][0], facts["hash_gain"]) for i, key in enumerate(sorted(keys))}
        return Vectors(keys, weights, _frames(*facts["frames_thw"]), load_file(parity / f"cnn_{name}.safetensors"))

    return read


def _hashed(number: int, key: str, shape: tuple[int, ...], gain: float) -> "torch.Tensor":
    """The recipe ``hash`` for entry ``number`` of the sorted state dictionary."""
    import torch

    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    x = np.arange(math.prod(shape), dtype=np.uint32) * np.uint32(2654435761) + np.uint32(number * 40503 + 12345)
    for shift, factor in ((15, 2246822519), (13, 3266489917), (16, 1)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    values = x / 2**31 - 1
    if key.endswith("running_var") or (len(shape) == 1 and key.endswith(".weight")):
        values = 1 + 0.1 * values
    elif key.endswith("running_mean"):
        values *= 0.1
    else:
        values *= 0.05 if len(shape) == 1 else gain / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def _frames(count: int, height: int, width: int) -> np.ndarray:
    t, y, x, c = np.ogrid[:count, :height, :width, :3]
    waves = np.sin(0.05 * y + 0.9 * c + 0.7 * t) * np.cos(0.043 * x - 0.4 * c + 0.3 * t)
    pattern = (7 * x + 13 * y + 5 * c + 3 * t) % 27
    bgr = np.clip(150 - 60 * t + 90 * waves + pattern, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])

"""The three networks of MTCNN, with the weights that the ``mtcnn`` wheel carries.

Method: Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional
Networks", IEEE Signal Processing Letters 23(10), 2016. The wheel's weights (MIT) equal those of facenet-pytorch
in every tensor; they are read as files, so the wheel's TensorFlow code is never imported.
"""

import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from toolkit.errors import UserError

# of mtcnn 1.0.0; joblib unpickles, so a file is only opened when it is one of these
SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}


class Networks(NamedTuple):
    """The cascade; every network takes pixels ``(batch, 3, height, width)`` scaled to [-1, 1].

    Attributes:
        propose: any size in; offsets ``(batch, 4, h, w)`` and face probability ``(batch, h, w)``
        refine: 24 x 24 in; offsets ``(batch, 4)`` and probability ``(batch,)``
        output: 48 x 48 in; offsets ``(batch, 4)``, points ``(batch, 10)`` (five x, then five y, as fractions of the
            box) and probability ``(batch,)``
    """

    propose: nn.Module
    refine: nn.Module
    output: nn.Module


class _Flatten(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 3, 2, 1).flatten(1)  # the order in which the original Caffe layers were unrolled


class _Network(nn.Module):
    """A trunk and its heads; the last head gives two logits, of which the second says "face"."""

    def __init__(self, *trunk: nn.Module, heads: list[nn.Module]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*trunk)
        self.heads = nn.ModuleList(heads)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = self.trunk(x)
        *values, logits = (head(x) for head in self.heads)
        return *values, logits.softmax(dim=1)[:, 1]


def _convolution(inputs: int, outputs: int, size: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, size), nn.PReLU(outputs)


def _pool(size: int) -> nn.Module:
    return nn.MaxPool2d(size, stride=2, ceil_mode=True)


def _proposal_network() -> _Network:
    trunk = (*_convolution(3, 10, 3), _pool(2), *_convolution(10, 16, 3), *_convolution(16, 32, 3))
    return _Network(*trunk, heads=[nn.Conv2d(32, 4, 1), nn.Conv2d(32, 2, 1)])


def _refinement_network() -> _Network:
    trunk = (*_convolution(3, 28, 3), _pool(3), *_convolution(28, 48, 3), _pool(3), *_convolution(48, 64, 2))
    dense = (_Flatten(), nn.Linear(576, 128), nn.PReLU(128))
    return _Network(*trunk, *dense, heads=[nn.Linear(128, 4), nn.Linear(128, 2)])


def _output_network() -> _Network:
    trunk = (*_convolution(3, 32, 3), _pool(3), *_convolution(32, 64, 3), _pool(3), *_convolution(64, 64, 3), _pool(2))
    dense = (*_convolution(64, 128, 2), _Flatten(), nn.Linear(1152, 256), nn.PReLU(256))
    return _Network(*trunk, *dense, heads=[nn.Linear(256, 4), nn.Linear(256, 10), nn.Linear(256, 2)])


def find_weights(folder: Path | None = None) -> dict[str, Path]:
    """Returns the three weight files by network name, after checking their hashes.

    Args:
        folder: where ``pnet.lz4``, ``rnet.lz4`` and ``onet.lz4`` lie; ``None`` for the installed wheel

    Raises:
        UserError: the wheel is not installed, a file is absent, or its hash is not the expected one
    """
    if folder is None:
        wheel = importlib.util.find_spec("mtcnn")  # finds the place and imports nothing
        if wheel is None or wheel.origin is None:
            raise UserError(
                'The face detector needs the weights of the mtcnn package. Run: pip install "mtcnn>=1.0,<2"'
            )
        folder = Path(wheel.origin).parent / "assets" / "weights"
    files = {name: folder / f"{name}.lz4" for name in SHA256}
    for name, file in files.items():
        if not file.is_file():
            raise UserError(f"{file} is absent; expected the weight files of mtcnn 1.0.0 (pnet, rnet and onet .lz4)")
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != SHA256[name]:
            raise UserError(
                f"{file} has sha256 {found}, expected {SHA256[name]} (mtcnn 1.0.0); it is not opened. "
                "Run: pip install --force-reinstall --no-deps mtcnn==1.0.0"
            )
    return files


def _fill(network: _Network, arrays: list[np.ndarray]) -> nn.Module:
    """Copies weights in the wheel's order (Keras layout) into a network."""
    parameters = list(network.parameters())
    if len(parameters) != len(arrays):
        raise ValueError(f"{len(arrays)} weight arrays for {len(parameters)} parameters")
    with torch.no_grad():
        for parameter, array in zip(parameters, arrays, strict=True):
            if parameter.dim() == 4:
                array = array.transpose(3, 2, 0, 1)
            elif parameter.dim() == 2:
                array = array.T
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array).reshape(parameter.shape)))
    return network.eval().requires_grad_(False)


def load_networks(folder: Path | None = None, *, device: str = "cpu") -> Networks:
    """Returns the cascade with its trained weights.

    Args:
        folder: see `find_weights`
        device: torch device

    Raises:
        UserError: see `find_weights`
    """
    import joblib

    files = find_weights(folder)
    empty = {"pnet": _proposal_network(), "rnet": _refinement_network(), "onet": _output_network()}
    filled = [_fill(network, joblib.load(files[name])).to(device) for name, network in empty.items()]
    return Networks(*filled)

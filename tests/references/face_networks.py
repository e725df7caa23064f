"""The face networks of the MER2024 scripts: weights and frames by formula, prepared by our encoders."""

import dataclasses
import json
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

from feature_extraction.encoder import build_encoder, get_spec
from references.hashed import noise
from references.vectors import Difference, difference
from toolkit.models.emonet import EmoNet
from toolkit.models.ferplus import FerPlus
from toolkit.models.manet import MANet
from toolkit.models.resnet18 import ResNet18

INPUT, OUTPUT = 1e-6, 1e-5  # tolerances, of the largest number of what is compared


class FaceVectors(NamedTuple):
    """A face network of the reference implementation.

    Attributes:
        keys: shape and number type of every entry of its state dictionary
        weights: the entries by the recipe ``hash``
        frames: what it looks at, ``(2, 210, 180, 3)`` uint8 RGB
        tensors: its ``inputs/...`` and ``outputs_hash/...``
    """

    keys: dict[str, tuple[tuple[int, ...], str]]
    weights: dict[str, Tensor]
    frames: np.ndarray
    tensors: dict[str, np.ndarray]

    def input_differences(self, values: np.ndarray) -> list[Difference]:
        """How far pictures ``(2, 3, height, width)`` are from those that the reference makes of the frames."""
        tolerance = INPUT * np.abs(self.tensors["inputs/image_corner"]).max()
        parts = {"corner": values[:, :, :8, :8], "rowmean": values.mean(axis=3, dtype=np.float64)}
        return [self._difference(f"inputs/image_{name}", part, tolerance) for name, part in parts.items()]

    def output_difference(self, values: np.ndarray, name: str = "embedding") -> Difference:
        """How far an output of the network is from the reference's."""
        name = f"outputs_hash/{name}"
        return self._difference(name, values, OUTPUT * np.abs(self.tensors[name]).max())

    def assert_input(self, values: np.ndarray) -> None:
        """The frames are prepared as the reference prepares them: ``(2, 3, height, width)``."""
        assert [one for one in self.input_differences(values) if one.share > 1] == []

    def assert_output(self, values: np.ndarray, name: str = "embedding") -> None:
        """The network gives what the reference gives, to the tolerance that came with the vectors."""
        found = self.output_difference(values, name)
        assert found.share <= 1, found

    def _difference(self, name: str, values: np.ndarray, tolerance: float) -> Difference:
        return difference(name, torch.from_numpy(values), torch.from_numpy(self.tensors[name]), tolerance, 0.0)


@lru_cache(maxsize=1)
def read(path: Path) -> FaceVectors:
    """Reads ``cnn_NAME.safetensors`` and both JSON files beside it."""
    facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    keys = json.loads(path.with_name(f"{path.stem}_keys.json").read_text(encoding="utf-8"))
    keys = {key: (tuple(shape), dtype) for key, (shape, dtype) in keys.items()}
    weights = {key: _weight(i, key, keys[key][0], facts["hash_gain"]) for i, key in enumerate(sorted(keys))}
    return FaceVectors(keys, weights, _frames(*facts["frames_thw"]), load_file(path.with_suffix(".safetensors")))


def _weight(number: int, key: str, shape: tuple[int, ...], gain: float) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    values = noise(number, shape)
    if key.endswith("running_var") or (len(shape) == 1 and key.endswith(".weight")):
        values = 1 + 0.1 * values
    elif key.endswith("running_mean"):
        values *= 0.1
    else:
        values *= 0.05 if len(shape) == 1 else gain / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def _frames(count: int, height: int, width: int) -> np.ndarray:
    t, y, x, c = np.ogrid[:count, :height, :width, :3]
    waves = np.sin(0.05 * y + 0.9 * c + 0.7 * t) * np.cos(0.043 * x - 0.4 * c + 0.3 * t)
    pattern = (7 * x + 13 * y + 5 * c + 3 * t) % 27
    bgr = np.clip(150 - 60 * t + 90 * waves + pattern, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(bgr[..., ::-1])


class FaceNetwork(NamedTuple):
    """How a network is built, fed and read.

    Attributes:
        build: makes it with random weights
        encoder: a small encoder that prepares pictures in the same way
        size: width of a picture in pixels
        read: the outputs by the reference's names, of the network and its features
    """

    build: Callable[[], nn.Module]
    encoder: str
    size: int
    read: Callable[[nn.Module, Tensor], dict[str, Tensor]]


def _emonet(network: nn.Module, features: Tensor) -> dict[str, Tensor]:
    heads = network.emo_fc_2(features)
    return {"embedding": features, "expression": heads[:, :8], "valence": heads[:, 8:9], "arousal": heads[:, 9:]}


def _manet(network: nn.Module, features: Tensor) -> dict[str, Tensor]:
    logits = {"logits_local": network.fc_1(features[:, :512]), "logits_global": network.fc_2(features[:, 512:])}
    return {"embedding": features, **logits}


def _resnet(network: nn.Module, features: Tensor) -> dict[str, Tensor]:
    return {"embedding": features, "fc_logits": network.fc(features)}


def _ferplus(_: nn.Module, features: Tensor) -> dict[str, Tensor]:
    return {"embedding_conv5_3_3x3_relu": features}


NETWORKS = {
    "emonet": FaceNetwork(EmoNet, "tiny-emonet", 256, _emonet),
    "manet": FaceNetwork(MANet, "tiny-manet", 224, _manet),
    "msceleb_resnet18": FaceNetwork(ResNet18, "tiny-resnet18", 224, _resnet),
    "resnet50_ferplus_dag": FaceNetwork(lambda: FerPlus(excitation=False), "tiny-resnet50-ferplus", 224, _ferplus),
    "senet50_ferplus_dag": FaceNetwork(lambda: FerPlus(excitation=True), "tiny-senet50-ferplus", 224, _ferplus),
}


def differences(path: Path) -> list[Difference]:
    """Returns how far the pictures and outputs of one network are from the reference's."""
    vectors, (build, encoder, size, outputs) = read(path), NETWORKS[path.stem.removeprefix("cnn_")]
    looking = build_encoder(dataclasses.replace(get_spec(encoder, "visual"), input_size=size))
    pictures = looking.normalised(torch.from_numpy(np.stack([looking.picture(frame) for frame in vectors.frames])))
    network = build().eval()
    network.load_state_dict(vectors.weights)
    with torch.inference_mode():
        found = outputs(network, network(pictures))
    values = {name: value.numpy() for name, value in found.items()}
    return vectors.input_differences(pictures.numpy()) + [
        vectors.output_difference(value, name) for name, value in values.items()
    ]

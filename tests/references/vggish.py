"""VGGish: TensorFlow's variables by formula, a sweep as sound."""

import json
import math
from pathlib import Path

import numpy as np
import torch

from feature_extraction.audio.log_mel import cut_examples
from references.hashed import noise
from references.vectors import Difference, Vectors, difference
from toolkit.models.vggish import Vggish, convert

RATE = 16000  # samples per second
SPARSE, DENSE = 50, 5  # frames from one example to the next, of 10 ms


def variables(path: Path) -> dict[str, np.ndarray]:
    """Returns the variables in TensorFlow's layout, whose last axis is the outputs, of ``cnn_vggish.safetensors``."""
    gain = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["hash_gain"]
    shapes = json.loads(path.with_name(f"{path.stem}_keys.json").read_text(encoding="utf-8"))
    made = {}
    for number, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        scale = 0.05 if len(shape) == 1 else gain / math.sqrt(math.prod(shape[:-1]))
        made[name] = (noise(number, tuple(shape)) * scale).astype(np.float32)
    return made


def sweep(seconds: float, rate: int = RATE) -> np.ndarray:
    """Returns the sound that the reference heard, ``(samples,)`` float32, as the sidecar describes it."""
    time = np.arange(round(seconds * rate)) / rate
    wave = 12000 * np.sin(2 * np.pi * (60 * time + 0.5 * (7740 / seconds) * time**2))
    return (np.trunc(wave * (0.6 + 0.4 * np.cos(2 * np.pi * 1.5 * time))) / 32768).astype(np.float32)


def differences(path: Path) -> list[Difference]:
    """Returns how far examples and embeddings are from those of the TensorFlow graph."""
    vectors = Vectors.read(path)
    network = Vggish()
    network.load_state_dict(convert(variables(path)))
    sparse, dense = (torch.from_numpy(np.stack(list(cut_examples(sweep(2.5), step)))) for step in (SPARSE, DENSE))
    with torch.inference_mode():
        embedding = network(sparse)
    theirs = vectors.tensors
    return [
        difference("examples 0.5 s apart", sparse[:2], theirs["examples/long_hop0.5"], 1e-6, 0.0),
        difference("examples 0.05 s apart", dense[:, 0], theirs["examples/long_hop0.05_row0"], 1e-6, 0.0),
        difference("embedding", embedding, theirs["outputs/embedding"]),
        difference("mean embedding", embedding.mean(dim=0), theirs["outputs/embedding_mean"]),
    ]

"""What the recipes of the masked autoencoders are made of: masks, positions, rates, mixing, frames, filter banks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from baseline.mixup import Mixing
from baseline.schedule import cosine_schedule, scaled_rate
from references.autoencoders import EXACT
from references.vectors import Difference, Vectors, difference
from toolkit.filter_bank import filter_bank_example
from toolkit.frame_sampling import pretraining_frames, training_frames, view_frames
from toolkit.models.transformer.masks import Scattered, Tube, Windows, draw
from toolkit.models.transformer.positions import sinusoids

MASKS = {
    "tube_8x10x10_r0.9": (Tube(0.9), (8, 10, 10)),
    "part_window_8x10x10_r0.9_w5x10": (Windows(0.9, 5), (8, 10, 10)),
    "part_window_sym_global": (Windows(0.9, 5, "picture"), (8, 10, 10)),
    "part_window_sym_local": (Windows(0.9, 5, "window"), (8, 10, 10)),
    "random2d_16x8_r0.8": (Scattered(0.8), (16, 8)),
}
POSITIONS = {"9x10": range(9), "800x512_rows": (0, 1, 399, 799), "128x512_rows": (0, 1, 64, 127)}
RATES = {
    "pretrain": cosine_schedule(3e-4, 1e-5, epochs=10, steps=7, warmup_epochs=2),
    "finetune": cosine_schedule(scaled_rate(1e-3, 96), scaled_rate(1e-6, 96), epochs=6, steps=5, warmup_epochs=1),
}
CHOICES = {
    "indices": ("indices", "audio_start_frame", "audio_end_frame"),
    "frames": ("frames", "audio_start_frame", "audio_end_frame"),
    "frame_ids": ("frame_ids", "start_frame", "end_frame"),
}


def differences(path: Path) -> list[Difference]:
    """Returns how far each of them is from theirs; what is drawn is drawn from their seeds."""
    vectors = Vectors.read(path)
    return [*_tables(vectors), *_frames(vectors), *_mixed(vectors), *_banks(vectors)]


def _tables(vectors: Vectors) -> list[Difference]:
    found = []
    for name, (mask, grid) in MASKS.items():
        facts, theirs = vectors.facts["items"][f"mask/{name}"], vectors.tensors[f"mask/{name}"]
        ours = draw(mask, grid, facts["calls"], np.random.RandomState(facts["numpy_seed"]))
        found.append(difference(f"mask {name}", ours, theirs, EXACT, 0.0))
    for name, rows in POSITIONS.items():
        count, dim = map(int, name.removesuffix("_rows").split("x"))
        ours = sinusoids(count, dim)[list(rows)]
        found.append(difference(f"positions {name}", ours, vectors.tensors[f"pos/{name}"], EXACT, 0.0))
    for name, rates in RATES.items():
        theirs = vectors.tensors[f"schedule/{name}"]
        found.append(difference(f"rates {name}", torch.from_numpy(rates), theirs, 1e-18, 1e-12))
    return found


def _frames(vectors: Vectors) -> list[Difference]:
    training, testing = vectors.facts["frame_sampling"]["train"], vectors.facts["frame_sampling"]["test"]
    pretraining = vectors.facts["pretrain_frame_sampling"]["cases"]
    kinds = {
        "training": [(case, training_frames(*_clip(case), _chance(case))) for case in training],
        "testing": [pair for case in testing for pair in zip(case["views"], view_frames(*_clip(case)), strict=True)],
        "pretraining": [(case, pretraining_frames(case["num_frames"], 4, _chance(case))) for case in pretraining],
    }
    found = []
    for kind, pairs in kinds.items():
        theirs = torch.tensor([_chosen(case) for case, _ in pairs])
        ours = torch.tensor([[*choice.frames.tolist(), choice.start, choice.end] for _, choice in pairs])
        found.append(difference(f"frames of {kind}", ours, theirs, EXACT, 0.0))
    return found


def _clip(case: Mapping) -> tuple[int, int]:
    return case["num_frames"], case["sampling_rate"]


def _chance(case: Mapping) -> np.random.RandomState:
    return np.random.RandomState(case["numpy_seed"])


def _chosen(case: Mapping) -> list[int]:
    """Returns frames, start and end, which each kind of case calls otherwise."""
    frames, start, end = CHOICES[next(key for key in CHOICES if key in case)]
    return [*case[frames], case[start], case[end]]


def _mixed(vectors: Vectors) -> list[Difference]:
    video, labels = vectors.tensors["mixup/in_x"], vectors.tensors["mixup/in_y"]
    found = []
    for seed in range(4):
        mixed = Mixing()(video, labels, 5, np.random.RandomState(seed))
        for name, ours in (("x", mixed.video), ("y", mixed.targets)):
            theirs = vectors.tensors[f"mixup/seed{seed}_{name}"]
            found.append(difference(f"mixing {seed} {name}", ours, theirs, 1e-6, 0.0))
    return found


def _banks(vectors: Vectors) -> list[Difference]:
    found = []
    for name in ("short_20000", "long_42000"):
        samples = vectors.tensors[f"fbank/{name}_wave_int16"][0].numpy() / np.float32(32768)
        ours = torch.from_numpy(filter_bank_example(samples))
        found.append(difference(f"filter bank {name}", ours, vectors.tensors[f"fbank/{name}_normalised"]))
    return found

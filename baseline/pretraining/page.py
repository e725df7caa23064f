"""A page of reconstructions: what was there, what was seen of it, what the network made of that, and how it moves."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from baseline.face_clips.stream import ClipBatch
from baseline.pretraining.training import Training
from toolkit.models.transformer.targets import shown
from toolkit.whole_file import whole_file

CLIPS = 4  # on a page
_HIGHEST = 0.125  # of a row, as a share of its width
_GREY = 0.5  # what is hidden
_MOTION = 3.0  # differences of pixels are shown so much larger, around grey


def write_page(path: Path, training: Training, batch: ClipBatch) -> None:
    """Writes a PNG of a few clips.

    Args:
        path: to write to
        training: whose network rebuilds them
        batch: the clips
    """
    inputs = training.inputs(batch.tensors)
    masks = training.masks(batch.draws, "page")
    rebuilt = training.network.rebuilt(inputs, masks, training.rebuild(inputs, masks).predictions)
    pictures = rows(training, inputs, masks, rebuilt)
    with whole_file(path) as temporary:
        _draw(pictures, temporary)


def rows(
    training: Training, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor], rebuilt: Mapping[str, Tensor]
) -> list[tuple[str, np.ndarray]]:
    """Returns rows of pictures with their titles, those of one clip after those of another."""
    shape = training.network.shape if hasattr(training.network, "shape") else training.network.size.shape
    original, guess = shown(inputs["video"]).cpu(), rebuilt["video"].float().cpu()
    tubelets = shape.tubelets(torch.ones_like(original)).clone()
    tubelets[masks["video"].unflatten(1, shape.grid)] = 0
    seen = shape.video(tubelets)
    masked = original * seen + _GREY * (1 - seen)
    rows = []
    for clip in range(len(original)):
        still = {"original": original, "masked": masked, "rebuilt": guess}
        rows += [(title, _strip(video[clip, :, :: shape.tubelet])) for title, video in still.items()]
        for title, video in (("motion", original), ("motion rebuilt", guess)):
            change = video[clip, :, shape.tubelet - 1 :: shape.tubelet] - video[clip, :, :: shape.tubelet]
            rows.append((title, _strip((_GREY + _MOTION * change).clamp(0, 1))))
    if "audio" in rebuilt:
        rows += _sound(training, inputs["audio"].cpu(), masks["audio"], rebuilt["audio"].float().cpu())
    return rows


def _strip(video: Tensor) -> np.ndarray:
    """Maps ``(3, frames, H, W)`` to ``(H, frames * W, 3)``."""
    return video.permute(2, 1, 3, 0).flatten(1, 2).numpy()


def _sound(training: Training, original: Tensor, mask: Tensor, guess: Tensor) -> list[tuple[str, np.ndarray]]:
    """Returns rows of the first clip's spectrogram, lowest band at the bottom."""
    shape = training.network.size.spectrogram
    patches = shape.patches(original).clone()
    patches[mask] = float("nan")
    rows = (("sound", original), ("masked", shape.audio(patches)), ("rebuilt", guess))
    low, high = original[0].min(), original[0].max()
    return [(title, ((values[0, 0].T.flip(0) - low) / (high - low)).numpy()) for title, values in rows]


def _draw(rows: list[tuple[str, np.ndarray]], path: Path) -> None:
    from matplotlib.figure import Figure

    heights = [min(picture.shape[0] / picture.shape[1], _HIGHEST) for _, picture in rows]
    figure = Figure(figsize=(12, 12 * sum(heights) + 0.1 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (title, picture) in zip(axes, rows, strict=True):
        axis.imshow(picture, interpolation="nearest", aspect="auto", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.set_ylabel(title, rotation=0, ha="right", va="center")
        axis.spines[:].set_visible(False)
    figure.savefig(path, dpi=100)

"""The course of a pretraining, a row for each epoch, as CSV and as a picture."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolkit.whole_file import whole_file

_FEW = 30  # rows, of which each is marked

Row = Mapping[str, float]


def write_curve(rows: Sequence[Row], folder: Path) -> None:
    """Writes ``curve.csv``, all digits of every number.

    Args:
        rows: at least one, all with the same names
        folder: of the run
    """
    with whole_file(folder / "curve.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def draw_curve(rows: Sequence[Row], folder: Path) -> None:
    """Draws ``curve.png``: what is lowered, each stream's part of it, and what the mean of each patch would reach.

    Args:
        rows: at least one; ``epoch``, ``loss``, ``patch_mean`` and ``loss_STREAM``
        folder: of the run
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    epochs = [row["epoch"] for row in rows]
    mark = "." if len(rows) < _FEW else None
    axes.plot(epochs, [row["patch_mean"] for row in rows], color="0.5", linestyle="--", label="mean of each patch")
    for name, label in (("loss", "loss"), ("loss_audio", "of the sound"), ("loss_video", "of the pictures")):
        if name == "loss" or "loss_audio" in rows[0]:
            axes.plot(epochs, [row[name] for row in rows], marker=mark, label=label)
    axes.set(xlabel="epoch", ylabel="mean squared error", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    with whole_file(folder / "curve.png") as path:
        figure.savefig(path, dpi=120)

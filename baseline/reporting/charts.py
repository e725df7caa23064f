"""Pictures that are files of their own: what mattered in a search, and encoders ranked."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from baseline.reporting.canvas import ACCENT, INK, MUTED, PAPER, colours, new_figure, styled
from toolkit.whole_file import whole_file

_WIDTH = 9.0  # inches
_LETTERS, _LETTERS_BESIDE = 138, 44  # in a line of the caption, and beside a bar


class Share(NamedTuple):
    """A bar of `importance_chart`.

    Attributes:
        name: of the option
        share: of the variance
        error: standard error of the share
        chance: what chance alone gives
        values: what its values got, the best first, in words
    """

    name: str
    share: float
    error: float
    chance: float
    values: str


class Bar(NamedTuple):
    """A bar of `ranking_chart`.

    Attributes:
        name: of the encoder
        modality: of the encoder
        validation: what ranks
        deviation: of it over the seeds
        score: on clips that chose nothing, where there are such
        low: lower end of its interval
        high: upper end
    """

    name: str
    modality: str
    validation: float
    deviation: float
    score: float
    low: float
    high: float


@styled
def importance_chart(shares: Sequence[Share], caption: str, path: Path) -> None:
    """Draws how much of the spread of the merits goes with each option, with its error and what chance gives.

    Args:
        shares: the most important first; none where there are too few trials to say
        caption: what the picture rests on
        path: SVG file to write
    """
    figure, (axes,) = new_figure(_WIDTH, 1.7 + 0.55 * max(1, len(shares)))
    for row, bar in enumerate(shares):
        axes.barh(row, bar.share, height=0.5, color=ACCENT, alpha=0.55)
        _whisker(axes, row, max(0.0, bar.share - bar.error), min(1.0, bar.share + bar.error))
        axes.plot([bar.chance] * 2, [row - 0.34, row + 0.34], color=MUTED, linewidth=1.4, linestyle=":")
        beside = textwrap.fill(bar.values, _LETTERS_BESIDE)
        axes.text(1.02, row, beside, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_xlim(0, 1)
    _rows(axes, [bar.name for bar in shares])
    axes.set_xlabel("share of the variance of the merit between the values' means (dotted: what chance alone gives)")
    _write(figure, "Which options mattered", caption, path)


@styled
def ranking_chart(bars: Sequence[Bar], title: str, caption: str, path: Path) -> None:
    """Draws encoders from the best down: what ranks them as bars, the score with its interval as diamonds.

    Args:
        bars: the best first
        title: what the score is
        caption: what the picture rests on
        path: SVG file to write
    """
    figure, (axes,) = new_figure(_WIDTH, 1.7 + 0.42 * len(bars))
    own = colours(sorted({bar.modality for bar in bars}))
    for row, bar in enumerate(bars):
        axes.barh(row, bar.validation, height=0.56, color=own[bar.modality], alpha=0.55, label=bar.modality)
        _whisker(axes, row - 0.14, bar.validation - bar.deviation, bar.validation + bar.deviation)
        axes.plot([bar.low, bar.high], [row + 0.14] * 2, color=INK, linewidth=1.2)
        axes.scatter([bar.score], [row + 0.14], s=26, marker="D", facecolors=PAPER, edgecolors=INK, zorder=5)
    _rows(axes, [bar.name for bar in bars])
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set_xlabel(f"{title} — bar: validation, ± deviation over seeds; diamond: scored clips, with 95 % interval")
    handles: Mapping[str, object] = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), loc="lower left", bbox_to_anchor=(0, 1), ncols=len(own), fontsize=8.5)
    _write(figure, "Encoders, each alone", caption, path)


def _whisker(axes: Axes, row: float, low: float, high: float) -> None:
    if np.isfinite([low, high]).all():
        axes.plot([low, high], [row, row], color=ACCENT, linewidth=1.6)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(axis="x")


def _write(figure: Figure, title: str, caption: str, path: Path) -> None:
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, weight="bold")
    figure.supxlabel(textwrap.fill(caption, _LETTERS), x=0.01, ha="left", fontsize=8, color=MUTED)
    with whole_file(path) as temporary, matplotlib.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(temporary, format="svg", facecolor=PAPER, metadata={"Date": None, "Creator": None})

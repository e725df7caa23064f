"""Pictures of scores: folds against test, confusion, modalities, noise, rounds. Each is one ``<svg>``."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from baseline.reporting.canvas import (
    ACCENT,
    GREY,
    GRID,
    INK,
    MUTED,
    ON_ACCENT,
    PAPER,
    VERMILION,
    colours,
    new_figure,
    styled,
    to_svg,
)
from baseline.spread import deviation

_APART = (-0.13, 0.0, 0.13)  # so that folds with equal scores are seen
_FOLD_DOT = {"s": 34, "edgecolors": PAPER, "linewidths": 1.2, "zorder": 4, "clip_on": False}
_TEST_DIAMOND = {"s": 46, "marker": "D", "facecolors": PAPER, "linewidths": 1.6, "zorder": 5, "clip_on": False}


@styled
def fold_picture(folds: Sequence[float], tests: Mapping[str, float], title: str) -> str:
    """Draws the validation scores of the folds with mean and standard deviation, and below them each test split.

    Args:
        folds: one score per fold
        tests: score of the averaged networks by test split
        title: name of the score
    """
    rows = ["validation folds", *tests]
    figure, (axes,) = new_figure(9.0, 0.62 + 0.42 * len(rows))
    if folds:
        mean, spread = float(np.mean(folds)), deviation(folds)
        if len(folds) > 1:
            corner = (mean - spread, -0.27)
            axes.add_patch(FancyBboxPatch(corner, 2 * spread, 0.54, boxstyle="round,pad=0", fc=ACCENT, alpha=0.16))
        axes.plot([mean, mean], [-0.27, 0.27], color=ACCENT, linewidth=2.2)
        axes.scatter(sorted(folds), np.resize(_APART, len(folds)), color=ACCENT, **_FOLD_DOT)
    for row, value in enumerate(tests.values(), 1):
        axes.plot([0, 1], [row, row], color=GRID, linewidth=0.8, transform=axes.get_yaxis_transform(), zorder=0)
        axes.scatter([value], [row], edgecolors=INK, **_TEST_DIAMOND)
        axes.annotate(_short(value), (value, row), (9, 0), textcoords="offset points", va="center", weight="bold")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.margins(x=0.12)
    axes.set_xlabel(title)
    parts = [f"{name} {value:.3f}" for name, value in tests.items()]
    return to_svg(figure, "folds", f"{title} by fold and split: " + ", ".join(parts))


@styled
def confusion_picture(labels: Sequence[str], matrix: Sequence[Sequence[int]], name: str) -> str:
    """Draws counts of true (rows) against predicted (columns), shaded by the share of the true class.

    Args:
        labels: class names
        matrix: ``(classes, classes)`` counts
        name: split, part of the picture's ids
    """
    counts = np.asarray(matrix, float)
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    size = len(labels)
    figure, (axes,) = new_figure(0.95 + 0.56 * size, 0.75 + 0.5 * size)
    for row in range(size):
        for column in range(size):
            _cell(axes, row, column, f"{counts[row, column]:.0f}", shares[row, column])
    axes.set_xticks(range(size), labels, rotation=0 if size < 8 else 90)
    axes.set_yticks(range(size), labels)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted", style="italic")
    axes.set_ylabel("true", style="italic")
    axes.set_xlim(-0.55, size - 0.45)
    axes.set_ylim(size - 0.45, -0.55)
    axes.tick_params(labelcolor=INK, pad=1)
    axes.spines[:].set_visible(False)
    return to_svg(
        figure, "confusion-" + name.replace(" ", "-"), f"Confusion matrix of {name}, {counts.sum():.0f} clips"
    )


def _cell(axes: Axes, row: int, column: int, text: str, share: float) -> None:
    outline = {"boxstyle": "round,pad=0,rounding_size=0.07", "linewidth": 0}
    corner = (column - 0.47, row - 0.47)
    axes.add_patch(FancyBboxPatch(corner, 0.94, 0.94, facecolor=GREY, alpha=0.10, **outline))
    if share > 0:
        axes.add_patch(FancyBboxPatch(corner, 0.94, 0.94, facecolor=ACCENT, alpha=0.08 + 0.92 * share, **outline))
    colour = ON_ACCENT if share > 0.5 else INK if share > 0 else GREY
    axes.text(column, row, text, ha="center", va="center", color=colour, weight="bold" if row == column else "normal")


@styled
def modality_picture(rows: Mapping[str, Mapping], title: str) -> str:
    """Draws one bar per modality: mean over folds, every fold as a dot.

    Args:
        rows: ``mean`` and ``folds`` (a list, may be empty) by modality
        title: name of the score
    """
    names = list(rows)
    figure, (axes,) = new_figure(9.0, 0.75 + 0.52 * len(names))
    for row, (name, colour) in enumerate(colours(names).items()):
        entry = rows[name]
        axes.barh(row, entry["mean"], height=0.56, color=PAPER)  # hides the grid behind the tint
        axes.barh(row, entry["mean"], height=0.56, color=colour, alpha=0.55)
        folds = sorted(entry["folds"])
        axes.scatter(folds, row + np.resize(_APART, len(folds)), color=colour, **_FOLD_DOT)
        right = max([entry["mean"], *folds])
        axes.annotate(
            _short(entry["mean"]), (right, row), (9, 0), textcoords="offset points", va="center", weight="bold"
        )
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.invert_yaxis()
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.grid(axis="x")
    axes.margins(x=0.1)
    axes.set_xlabel(title)
    parts = [f"{name} {entry['mean']:.3f}" for name, entry in rows.items()]
    return to_svg(figure, "modalities", f"{title} by modality: " + ", ".join(parts))


@styled
def noise_picture(levels: Sequence[str], lines: Mapping[str, Sequence[float]], title: str) -> str:
    """Draws a score over the strength of noise.

    Args:
        levels: names of the noise levels, from strong to none
        lines: scores by how the networks were trained, NaN where not measured
        title: name of the score
    """
    figure, (axes,) = new_figure(9.0, 3.5)
    places, ends = np.arange(len(levels)), []
    for (name, values), colour, style in zip(lines.items(), (ACCENT, VERMILION), ("o-", "s--"), strict=False):
        axes.plot(places, values, style, color=colour, markeredgecolor=PAPER, markeredgewidth=1.2, markersize=7.5)
        known = np.flatnonzero(np.isfinite(values))  # never empty: a line without a value is not drawn
        ends.append((name, colour, float(values[known[-1]])))
    if len(lines) == 2:
        first, second = (np.asarray(values, float) for values in lines.values())
        axes.fill_between(places, first, second, color=ACCENT, alpha=0.08, linewidth=0)
    axes.set_xticks(places, levels)
    axes.set_xlim(-0.25, len(levels) - 1 + max(0.8, 0.28 * len(levels)))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("signal-to-noise ratio (dB)")
    axes.set_ylabel(title)
    _widen(axes)
    _label_ends(axes, places[-1], ends, height=3.0)
    return to_svg(figure, "noise", f"{title} over signal-to-noise ratio: {', '.join(levels)}")


@styled
def rounds_picture(
    lines: Mapping[str, Sequence[float]], added: Mapping[str, Sequence[int]], title: str, spread: Sequence[float]
) -> str:
    """Draws scores by pseudo-label round above the clips that each round added, by class.

    Args:
        lines: scores by split, one per round, NaN where not measured; the first is validation
        added: clips added in each round by class
        title: name of the score
        spread: standard deviation over folds of the first line
    """
    figure, (top, bottom) = new_figure(9.0, 4.6, 2, sharex=True, height_ratios=(3, 2))
    places, ends = np.arange(len(next(iter(lines.values())))), []
    for (name, values), colour, style in zip(lines.items(), (ACCENT, INK), ("o-", "D--"), strict=False):
        top.plot(places, values, style, color=colour, markeredgecolor=PAPER, markeredgewidth=1.2, markersize=7)
        ends.append((name, colour, float(values[-1])))
    middle = np.asarray(next(iter(lines.values())), float)
    top.fill_between(places, middle - spread, middle + spread, color=ACCENT, alpha=0.12, linewidth=0)
    base = np.zeros(len(places))
    for name, colour in colours(list(added)).items():
        bottom.bar(places, added[name], 0.5, base, color=colour, label=name, edgecolor=PAPER, linewidth=0.8)
        base += added[name]
    bottom.set_xticks(places, [f"round {place}" if place else "labelled only" for place in places])
    bottom.set_xlim(-0.45, len(places) - 0.2 + 0.18 * len(places))
    if added:
        bottom.legend(loc="center right", fontsize=8.5, handlelength=1, handleheight=1, labelspacing=0.25)
    bottom.yaxis.get_major_locator().set_params(integer=True)
    _widen(top)
    for axes, label in ((top, title), (bottom, "clips added")):
        axes.set_ylabel(label)
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
    _label_ends(top, places[-1], ends, height=2.3)
    return to_svg(figure, "rounds", f"{title} and clips added by pseudo-label round")


def _widen(axes: Axes, least: float = 0.1) -> None:
    """Gives the vertical axis a least span, so that a difference of nothing does not look like one."""
    low, high = axes.get_ylim()
    missing = max(0.0, least - (high - low)) / 2
    axes.set_ylim(low - missing, high + missing)


def _label_ends(axes: Axes, place: float, ends: Sequence[tuple[str, str, float]], height: float) -> None:
    """Names lines at their right end, apart where they end close together.

    Args:
        axes: with the lines drawn
        place: of the last points
        ends: name, colour and last value of each line
        height: of the axes in inches, about
    """
    low, high = axes.get_ylim()
    line = 0.19 / height * (high - low)  # one line of text in the unit of the axis
    below = -np.inf
    for name, colour, value in sorted(ends, key=lambda end: end[2]):
        below = max(value, below + line)
        shift = (below - value) / (high - low) * height * 72
        offset = {"textcoords": "offset points", "va": "center", "color": colour, "weight": "bold"}
        axes.annotate(name, (place, value), (10, shift), **offset)


def _short(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")

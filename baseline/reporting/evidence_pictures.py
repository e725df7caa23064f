"""Pictures of single predictions: calibration, valence, words. Each is one ``<svg>``."""

from collections.abc import Sequence

import numpy as np

from baseline.reporting.canvas import ACCENT, BLUE, GREY, INK, MUTED, ORANGE, PAPER, colours, new_figure, styled, to_svg
from baseline.reporting.evidence import Calibration, WordCount


@styled
def calibration_picture(calibration: Calibration) -> str:
    """Draws how often the networks were right against how sure they were, and how often they were that sure."""
    figure, (top, bottom) = new_figure(4.5, 4.4, 2, sharex=True, height_ratios=(4, 1))
    used = calibration.count > 0
    centres = (calibration.edges[:-1] + calibration.edges[1:]) / 2
    top.bar(centres[used], calibration.accuracy[used], 0.088, color=PAPER)  # hides the grid behind the tint
    top.bar(centres[used], calibration.accuracy[used], 0.088, color=ACCENT, alpha=0.25, linewidth=0)
    top.plot(
        calibration.confidence[used],
        calibration.accuracy[used],
        "o",
        color=ACCENT,
        markeredgecolor=PAPER,
        markeredgewidth=1.2,
    )
    top.plot([0, 1], [0, 1], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    top.set_ylabel("share that was right")
    top.set_xlim(0, 1)
    top.set_ylim(0, 1.02)
    bottom.bar(centres, calibration.count, 0.088, color=GREY, alpha=0.6, linewidth=0)
    bottom.set_ylabel("clips")
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set_xlabel("probability of the predicted emotion")
    for axes in (top, bottom):
        axes.grid(axis="y")
        axes.spines["left"].set_visible(False)
    description = f"Reliability diagram, expected calibration error {calibration.error:.3f}"
    return to_svg(figure, "calibration", description)


@styled
def valence_picture(
    truth: np.ndarray, prediction: np.ndarray, emotion: Sequence[str] | None, labels: Sequence[str]
) -> str:
    """Draws predicted against true valence, one dot per clip.

    Args:
        truth: ``(N,)`` true valence
        prediction: ``(N,)`` predicted valence
        emotion: true emotion of each clip for its colour, ``None`` where unknown
        labels: the emotions in their order
    """
    figure, (axes,) = new_figure(4.5, 4.2)
    low, high = np.floor(min(truth.min(), prediction.min())), np.ceil(max(truth.max(), prediction.max()))
    axes.plot([low, high], [low, high], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    groups = np.asarray(emotion, object) if emotion is not None else np.full(len(truth), "clip", object)
    style = {"s": 30, "alpha": 0.75, "linewidths": 0.6, "edgecolors": PAPER}
    palette = {"clip": ACCENT} if emotion is None else colours(labels)
    for name, colour in palette.items():
        chosen = groups == name
        axes.scatter(truth[chosen], prediction[chosen], color=colour, label=name, **style)
    if emotion is not None:
        axes.legend(loc="upper left", fontsize=8.5, handletextpad=0.1, labelspacing=0.25, borderaxespad=0)
    axes.set_xlabel("true valence")
    axes.set_ylabel("predicted valence")
    axes.set_aspect("equal")
    axes.grid()
    axes.spines[:].set_visible(False)
    return to_svg(figure, "valence", f"Predicted against true valence of {len(truth)} clips")


@styled
def words_picture(words: Sequence[WordCount]) -> str:
    """Draws how often each word is in the truth (left), in the predictions (right), and in both (solid)."""
    figure, (axes,) = new_figure(8.2, 0.7 + 0.27 * len(words))
    widest = max([1, *(count for word in words for count in (word.true, word.predicted))])
    gap = widest * max(0.16, 0.018 * max((len(word.word) for word in words), default=0))
    for row, word in enumerate(words):
        for count, tint in ((word.true, 0.4), (word.both, 1.0)):
            axes.barh(row, -count, 0.68, left=-gap, color=BLUE, alpha=tint)
        for count, tint in ((word.predicted, 0.45), (word.both, 1.0)):
            axes.barh(row, count, 0.68, left=gap, color=ORANGE, alpha=tint)
        axes.text(0, row, word.word, ha="center", va="center", color=INK, fontsize=9.5)
        for count, place, side in ((word.true, -gap - word.true, -1), (word.predicted, gap + word.predicted, 1)):
            axes.annotate(
                str(count),
                (place, row),
                (5 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                color=MUTED,
                fontsize=8.5,
            )
    axes.text(-gap, -0.9, "in the truth", ha="right", va="bottom", color=BLUE, weight="bold")
    axes.text(gap, -0.9, "predicted", ha="left", va="bottom", color=ORANGE, weight="bold")
    axes.set_xlim(-gap - 1.12 * widest, gap + 1.12 * widest)
    axes.set_ylim(len(words) - 0.4, -1.5)
    axes.axis("off")
    return to_svg(figure, "words", "How often each word is in the truth and in the predictions")

"""Drawing for the page: matplotlib's geometry with the page's own colours and fonts, so that dark mode is CSS alone."""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from itertools import cycle
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Every colour drawn is one of these; in the SVG it becomes a CSS variable of the same name, which style.css defines.
# Hues: Okabe and Ito's colour-blind-safe palette (jfly.uni-koeln.de/color), with an indigo for what is fused.
INK = "#1b2330"
MUTED = "#5f6b7a"
GRID = "#dfe3e8"
PAPER = "#fefefe"
ACCENT = "#3a3d98"
ON_ACCENT = "#fffffe"
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#00835f"
PINK = "#c0629a"
ORANGE = "#e09a00"
SKY = "#4aa8e0"
GREY = "#8b95a1"
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    ACCENT: "accent",
    ON_ACCENT: "on-accent",
    BLUE: "blue",
    VERMILION: "vermilion",
    GREEN: "green",
    PINK: "pink",
    ORANGE: "orange",
    SKY: "sky",
    GREY: "grey",
}
_NAMED = {
    "fused": ACCENT,
    "audio": BLUE,
    "text": GREEN,
    "visual": VERMILION,
    "neutral": GREY,
    "angry": VERMILION,
    "happy": ORANGE,
    "sad": BLUE,
    "worried": PINK,
    "surprise": GREEN,
}
_OTHERS = (SKY, PINK, ORANGE, BLUE, GREEN, VERMILION, GREY)
_STYLE = {
    "svg.fonttype": "none",  # real text: small, selectable, in the reader's fonts
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "legend.frameon": False,
}


def colours(names: Sequence[str]) -> dict[str, str]:
    """Returns a colour for each class or modality: well-known names keep theirs, others take the next free one."""
    taken = {_NAMED[name] for name in names if name in _NAMED}
    free = cycle([colour for colour in _OTHERS if colour not in taken] or _OTHERS)
    return {name: _NAMED.get(name) or next(free) for name in names}


def css(colour: str) -> str:
    """Returns a colour of this file as its CSS variable, ``var(--blue)``."""
    return f"var(--{_VARIABLES[colour]})"


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Makes a drawing function work in the page's style, and leaves matplotlib's settings as they were."""

    @wraps(draw)
    def draw_in_style(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        with matplotlib.rc_context(_STYLE):
            return draw(*arguments, **options)

    return draw_in_style


def new_figure(width: float, height: float, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """Returns a figure of ``width`` by ``height`` inches and its ``rows`` axes, from top to bottom."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(rows, 1, squeeze=False, **options)[:, 0])


def to_svg(figure: Figure, name: str, description: str) -> str:
    """Returns a figure as an ``<svg>`` element, the same bytes whenever the same was drawn.

    Args:
        figure: the drawing
        name: word that no other picture of the page has; its ids start with it
        description: what the picture shows, for those who cannot see it
    """
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        # the reader's browser has the glyphs, whatever fonts this machine has
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    return _for_the_page(text.getvalue(), name, description)


def _for_the_page(svg: str, name: str, description: str) -> str:
    body = svg[svg.index("<svg") :]
    start, end = body.index(">") + 1, body.rindex("</svg>")
    box = re.search(r'viewBox="([^"]+)"', body[:start])
    width = re.search(r'width="([\d.]+)pt"', body[:start])
    inner = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", body[start:end], count=1, flags=re.DOTALL)
    inner = re.sub(r" font-family: [^;\"]+;", "", inner)
    inner = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", inner).replace("xlink:href", "href")
    for colour, variable in _VARIABLES.items():
        inner = inner.replace(colour, f"var(--{variable})")
    inner = re.sub(r"\s*\n\s*", "\n", inner)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return (
        f'<svg viewBox="{box.group(1)}" style="width:{float(width.group(1)):g}pt" role="img" aria-label="{label}">'
        f"{inner.strip()}</svg>"
    )

"""``report.html``: one page that stands alone and says what a run got, why, and how to repeat it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from baseline.reporting import comparisons, provenance, scores, singles
from baseline.reporting.run_files import RunFiles, read_run
from baseline.reporting.terms import TRACKS, Track, plain

FILE_NAME = "report.html"
_FOLDER = Path(__file__).parent / "reporting"
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
_TITLES = {
    "scores": "Scores",
    "confusions": "Confusions",
    "modalities": "Modalities",
    "noise": "Noise",
    "rounds": "Pseudo-labels",
    "words": "Words",
    "confidence": "Trust",
    "valence": "Valence",
    "coverage": "Coverage",
    "repeat": "Repeat",
}


def write_report(run_dir: Path) -> Path:
    """Writes the report of a run from nothing but its directory; the same directory gives the same bytes.

    Args:
        run_dir: ``RUNS/<track>/<name>`` of a finished run

    Returns:
        the page, ``report.html`` in that directory

    Raises:
        UserError: it is no run directory, or a file in it is damaged
    """
    page = _render(_contents(read_run(run_dir)))
    path = run_dir / FILE_NAME
    temporary = path.with_name(f".{FILE_NAME}.part")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return path


def _contents(run: RunFiles) -> dict[str, Any]:
    """Returns everything the page shows."""
    parts = {
        "scores": scores.score_table(run),
        "confusions": comparisons.confusions(run),
        "modalities": comparisons.modalities(run),
        "noise": comparisons.noise(run),
        "rounds": comparisons.rounds(run),
        "words": singles.words(run),
        "confidence": singles.confidence(run),
        "valence": singles.valence(run),
        "coverage": provenance.coverage(run),
        "repeat": provenance.repeat(run),
    }
    return parts | {
        "licences": provenance.licences(run),
        "headline": scores.headline(run),
        "track": TRACKS.get(run.track, Track(plain(run.track), "")),
        "track_name": run.track,
        "run_name": run.folder.resolve().name,
        "run_folder": run.folder.resolve(),
        "made_of": _made_of(run),
        "selection": run.metrics.get("selection", ""),
        "protocol": run.metrics.get("protocol", "honest"),
        "without_features": sum(run.metrics.get("without_features", {}).values()),
        "contents": [(key, title) for key, title in _TITLES.items() if parts[key]],
    }


def _made_of(run: RunFiles) -> str:
    """Returns one sentence on what was trained."""
    model, encoders = run.config.get("model"), list(run.metrics.get("coverage", {}))
    if not model or not encoders:
        return ""
    listed = ", ".join(encoders[:-1]) + (" and " if encoders[1:] else "") + encoders[-1]
    count = len(run.metrics.get("folds", []))
    seeds = len(run.metrics.get("seeds", {}).get("seeds", [0]))
    number = _NUMBERS[count * seeds] if count * seeds < len(_NUMBERS) else str(count * seeds)
    each = "one per fold" if seeds == 1 else f"one per fold and seed ({count} and {seeds})"
    return f"{number} {model} network{'' if count * seeds == 1 else 's'}, {each}, on {listed}."


def _render(contents: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"signed": _signed, "plain": plain}
    style = _FOLDER.joinpath("style.css").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(**contents, style=style)


def _signed(value: float, digits: int) -> str:
    """Returns a number with a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")

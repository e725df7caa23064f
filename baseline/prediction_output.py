"""Predictions of clips as a table, as JSON and as a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baseline.predict import ClipPrediction
from toolkit.console import aligned
from toolkit.errors import UserError
from toolkit.metrics.open_vocabulary import format_words

WORDS_SHOWN = 5  # most probable words of the table, where none is sure enough to be said


def table_lines(clips: Sequence[ClipPrediction]) -> list[str]:
    """Returns a plain table: prediction, probabilities, valence, and what is missing and why."""
    one_emotion = clips[0].emotion is not None
    labels = list(clips[0].probabilities) if one_emotion else []
    rated = any(clip.valence is not None for clip in clips)
    said = ["emotion"] if one_emotion else ["words"] if clips[0].probabilities else []  # of a sentiment, nothing
    head = ["clip", *said, *labels, *(["valence"] if rated else []), "missing"]
    rows = [head]
    for clip in clips:
        told = [clip.emotion or _words(clip)] if said else []
        shares = [f"{clip.probabilities[label]:.3f}" for label in labels]
        valence = [] if not rated else ["" if clip.valence is None else f"{clip.valence:+.2f}"]
        rows.append([clip.name, *told, *shares, *valence, _missing(clip)])
    return aligned(rows)


def to_json(clips: Sequence[ClipPrediction]) -> str:
    """Returns a JSON list with one object per clip."""
    return json.dumps([_facts(clip) for clip in clips], indent=2, ensure_ascii=False)


def require_writable(path: Path) -> None:
    """Checks where predictions are to be written, before the work is done.

    Raises:
        UserError: another suffix than ``.json`` and ``.csv``, or the folder is not there
    """
    if path.suffix not in (".json", ".csv"):
        raise UserError(f"Predictions cannot be written to {path}. Expected a name ending with .json or .csv.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to write {path.name} to. Make it first.")


def write_predictions(clips: Sequence[ClipPrediction], path: Path) -> None:
    """Writes predictions, ``.json`` as `to_json`, ``.csv`` with the columns of a run's ``predictions.csv``."""
    if path.suffix == ".json":
        path.write_text(to_json(clips) + "\n", encoding="utf-8")
        return

    import pandas as pd

    pd.DataFrame([_row(clip) for clip in clips]).to_csv(path, index=False, lineterminator="\n")


def _facts(clip: ClipPrediction) -> dict[str, Any]:
    facts = clip._asdict() | {"missing": [missing._asdict() for missing in clip.missing]}
    return {key: value for key, value in facts.items() if value is not None}


def _row(clip: ClipPrediction) -> dict[str, Any]:
    said = {"openset": format_words(clip.words)} if clip.probabilities else {}
    said = said if clip.emotion is None else {"emotion": clip.emotion}
    row = {"name": clip.name, **said, "valence": clip.valence}
    row |= {"without_features": not clip.known, "missing": _missing(clip)}
    return row | {f"probability_{label}": share for label, share in clip.probabilities.items()}


def _words(clip: ClipPrediction) -> str:
    """Returns the words said with their probabilities, in brackets the nearest ones where none is said."""
    ranked = sorted(clip.probabilities, key=lambda word: -clip.probabilities[word])
    words = ", ".join(f"{word} {clip.probabilities[word]:.2f}" for word in clip.words or ranked[:WORDS_SHOWN])
    return words if clip.words else f"({words})"


def _missing(clip: ClipPrediction) -> str:
    parts = [f"{missing.modality} ({missing.feature}): {missing.reason or missing.status}" for missing in clip.missing]
    return "; ".join([*parts, *([] if clip.known else ["nothing to go by, so what training has most of"])])

"""The catalogue: one table of named checkpoints per modality, ``catalogue.csv``, read into specs."""

import ast
import csv
import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import Any

from feature_extraction.faces.spec import FaceSpec, get_face_spec
from feature_extraction.spec import EncoderSpec, Modality

# What all encoders of a modality share, unless their row says otherwise.
COMMON: dict[Modality, dict[str, Any]] = {
    "audio": {"sample_rate": 16000},
    "audiovisual": {"sample_rate": 16000, "faces": FaceSpec()},
    "text": {"column": "text"},
    "visual": {"faces": FaceSpec()},
}
_FIELDS = {field.name for field in dataclasses.fields(EncoderSpec)} - {"options"}


def catalogue(modality: Modality, family: str) -> tuple[EncoderSpec, ...]:
    """Returns the specs of one family, in the order of the table.

    A row names the checkpoint, its width and its licence. Its column ``settings`` holds ``key=value`` pairs parted by
    blanks: fields of `EncoderSpec`, or options of the family. Where ``mertools`` is not empty, a second spec
    ``NAME@mertools`` follows with those settings on top, which reproduces what MERTools computes.

    Args:
        modality: folder of the table
        family: rows wanted
    """
    specs: list[EncoderSpec] = []
    for row in _rows(modality):
        if row["family"] == family:
            specs += _specs(modality, row)
    return tuple(specs)


@lru_cache
def _rows(modality: Modality) -> list[dict[str, str]]:
    path = Path(__file__).parent / modality / "catalogue.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _specs(modality: Modality, row: dict[str, str]) -> list[EncoderSpec]:
    facts: dict[str, Any] = {key: row[key] for key in ("name", "family", "checkpoint", "revision", "licence", "source")}
    plain = {**COMMON[modality], **parse_settings(row["settings"])}
    specs = [_spec(modality, {**facts, "dim": int(row["dim"])}, plain)]
    if row["mertools"]:
        facts["name"] += "@mertools"
        theirs = {"dim": int(row["dim"]), **plain, **parse_settings(row["mertools"])}
        specs.append(_spec(modality, facts, theirs))
    return specs


def spec_of_checkpoint(
    modality: Modality, family: str, settings: str, *, name: str, checkpoint: str, revision: str
) -> EncoderSpec:
    """Returns the spec of a checkpoint that is in no table.

    Args:
        modality: what it is for
        family: what runs it
        settings: as in the table
        name: of the encoder
        checkpoint: ``hf:...`` or ``file:...``
        revision: commit on the hub, or fingerprint of the folder or file
    """
    facts = {"name": name, "family": family, "checkpoint": checkpoint, "revision": revision}
    return _spec(modality, {**facts, "licence": "see model card"}, {**COMMON[modality], **parse_settings(settings)})


def parse_settings(text: str) -> dict[str, Any]:
    """Returns ``key=value`` pairs parted by blanks; numbers and tuples (without blanks) become such.

    Examples:
        >>> parse_settings("combine=sum layers=-4,-3,-2,-1 hop=0.5")
        {'combine': 'sum', 'layers': (-4, -3, -2, -1), 'hop': 0.5}
    """
    settings: dict[str, Any] = {}
    for pair in text.split():
        key, _, value = pair.partition("=")
        settings[key] = _value(value)
    if "faces" in settings:
        settings["faces"] = get_face_spec(settings["faces"])
    if isinstance(settings.get("layers"), int):
        settings["layers"] = (settings["layers"],)
    return settings


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _spec(modality: Modality, facts: dict[str, Any], settings: dict[str, Any]) -> EncoderSpec:
    fields = {key: value for key, value in settings.items() if key in _FIELDS}
    options = tuple(sorted((key, value) for key, value in settings.items() if key not in _FIELDS))
    return EncoderSpec(modality=modality, **facts, **fields, options=options)

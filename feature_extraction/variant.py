"""Variants of a spec: other layers, other precision, other faces, another column; said in its name after an ``@``."""

import dataclasses
import re
from collections.abc import Sequence

from feature_extraction.encoder import encoders
from feature_extraction.faces.spec import get_face_spec
from feature_extraction.spec import PRECISIONS, EncoderSpec
from toolkit.errors import UserError

COMBINATIONS = ("sum", "mean", "keep")
EVERY_LAYER = "every-layer"
_FORMS = ("layers-1,-2", EVERY_LAYER, *COMBINATIONS, "tokens-NAME", "step-N", "column-NAME", "faces-NAME", *PRECISIONS)


def vary(spec: EncoderSpec, parts: Sequence[str]) -> EncoderSpec:
    """Returns a variant of a spec under a name of its own, so that its cache stands beside the other's.

    Args:
        spec: what is varied
        parts: ``layersI,J,...`` (hidden layers, 0 for the embeddings, counted from the end when negative),
            ``every-layer`` (all of them, side by side), ``sum``, ``mean`` or ``keep`` (how layers become one),
            ``tokens-NAME`` (which of an image transformer's), ``step-N`` (pictures from one that is seen to the next,
            masked autoencoders), ``column-NAME`` (of the corpus table), ``faces-NAME``
            (face spec), ``float32``, ``bfloat16`` or ``float16``

    Raises:
        UserError: a part is not of these forms, or the family cannot do it

    Examples:
        >>> from feature_extraction.encoder import get_spec
        >>> vary(get_spec("char-hash", "text"), ["column-english"]).name
        'char-hash@column-english'
    """
    if EVERY_LAYER in parts and set(parts) & set(COMBINATIONS[:2]):
        raise UserError(
            f"'{spec.name}': {EVERY_LAYER} keeps the layers side by side. To add some, name them: layers0,6,12"
        )
    _refuse_two_precisions(spec.name, parts)
    name = spec.name
    for part in sorted(dict.fromkeys(parts), key=_rank):
        spec = dataclasses.replace(spec, **_change(spec, part))
        name += ("+" if "@" in name else "@") + part
    return dataclasses.replace(spec, name=name)


def _refuse_two_precisions(name: str, parts: Sequence[str]) -> None:
    named = [part for part in (*name.rpartition("@")[2].split("+"), *parts) if part in PRECISIONS]
    if len(named) > 1:
        raise UserError(f"'{name}' cannot be computed in {' and '.join(named)}: name one number type.")


def _rank(part: str) -> int:
    """Parts are named in one order, so that a variant has one name."""
    order = ("layers", EVERY_LAYER, *COMBINATIONS, "tokens-", "step-", "column-", "faces-", *PRECISIONS)
    return next((number for number, start in enumerate(order) if part.startswith(start)), len(order))


def _change(spec: EncoderSpec, part: str) -> dict[str, object]:
    family = encoders.get(spec.family)
    if part in PRECISIONS and family.alone:
        return {"precision": part}
    if part == EVERY_LAYER and family.has_layers:
        return {"layers": (), "combine": "keep"}
    if part in COMBINATIONS and family.has_layers:
        return {"combine": part}
    if re.fullmatch(r"layers-?\d+(,-?\d+)*", part) and family.has_layers:
        return {"layers": tuple(int(number) for number in part.removeprefix("layers").split(","))}
    kind, _, value = part.partition("-")
    if kind == "column" and value and spec.modality == "text":
        return {"column": value}
    if kind == "tokens" and value and spec.option("tokens"):
        return {"options": tuple(sorted({**dict(spec.options), "tokens": value}.items())), "dim": None}
    if kind == "step" and re.fullmatch(r"[1-9]\d*", value) and spec.option("step"):
        return {"options": tuple(sorted({**dict(spec.options), "step": int(value)}.items()))}
    if kind == "faces" and value and spec.faces:
        return {"faces": get_face_spec(value)}
    raise UserError(f"'{spec.name}' has no variant '{part}'. Variants, where the family allows: {', '.join(_FORMS)}.")

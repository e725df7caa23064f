"""The attention fusion of up to 18 features."""

from references.encoders import layers
from references.vectors import HEADS, renamed

ORDER = tuple(f"feat{number}" for number in range(18))


def options(arguments):
    return {"hidden": arguments["hidden_dim"]}


def translate(theirs, arguments):
    parts = HEADS | layers("attention_mlp", "attention") | {"fc_att": "scores"}
    for number in range(len(ORDER)):
        parts |= layers(f"encoder{number}", f"encoders.{number}")
    return renamed(theirs, parts)

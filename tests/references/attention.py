"""The attention fusion."""

from references.encoders import encoders, layers
from references.vectors import HEADS, renamed

ORDER = ("audios", "texts", "videos")


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "frames": arguments["feat_type"] != "utt"}


def translate(theirs, arguments):
    fusion = layers("attention_mlp", "attention") | {"fc_att": "scores"}
    return renamed(theirs, HEADS | encoders(ORDER, arguments) | fusion)

"""Late fusion."""

from references.encoders import encoders
from references.vectors import HEADS, renamed

ORDER = ("audios", "videos", "texts")


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "frames": arguments["feat_type"] != "utt"}


def translate(theirs, arguments):
    after = {"post_fusion_layer_1": "linear.0", "post_fusion_layer_2": "linear.1"}
    return renamed(theirs, HEADS | encoders(ORDER, arguments) | after)

"""Low-rank fusion; a factor's first row, which meets the 1, is our bias."""

from references.encoders import encoders
from references.vectors import HEADS, renamed

ORDER = ("audios", "texts", "videos")
FACTORS = ("audio_factor", "text_factor", "video_factor")


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "rank": arguments["rank"],
        "frames": arguments["feat_type"] != "utt",
    }


def translate(theirs, arguments):
    own = {"fusion_weights", "fusion_bias", *FACTORS}
    ours = renamed({name: theirs[name] for name in theirs.keys() - own}, HEADS | encoders(ORDER, arguments))
    for number, name in enumerate(FACTORS):  # (rank, 1 + hidden, width)
        ours[f"factors.{number}.weight"] = theirs[name][:, 1:].mT.flatten(0, 1)
        ours[f"factors.{number}.bias"] = theirs[name][:, 0].flatten()
    return ours | {"mixture": theirs["fusion_weights"][0], "bias": theirs["fusion_bias"][0]}

"""MMIM; theirs relates the others to the text."""

from references.encoders import encoders
from references.vectors import HEADS, renamed

ORDER = ("texts", "audios", "videos")
BOUNDS = ("mi_ta", "mi_tv")
PREDICTORS = ("cpc_zt", "cpc_za", "cpc_zv")


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "contrast_weight": arguments["alpha"],
        "information_weight": arguments["beta"],
        "prediction_layers": arguments["cpc_layers"],
        "frames": arguments["feat_type"] != "utt",
    }


def translate(theirs, arguments):
    parts = HEADS | encoders(ORDER, arguments) | {"fusion_prj.linear_1": "fusion.0", "fusion_prj.linear_2": "fusion.1"}
    for number, bound in enumerate(BOUNDS):
        for layer in (0, 2):
            parts[f"{bound}.mlp_mu.{layer}"] = f"means.{number}.{layer}"
            parts[f"{bound}.mlp_logvar.{layer}"] = f"log_variances.{number}.{layer}"
    for number, predictor in enumerate(PREDICTORS):
        parts[f"{predictor}.net"] = f"predictors.{number}"  # where it is one layer
        parts |= {f"{predictor}.net.{layer}": f"predictors.{number}.{layer}" for layer in range(5)}
    used = {name: tensor for name, tensor in theirs.items() if ".entropy_prj." not in name}
    return renamed(used, parts)

"""MMIM; theirs has the order text, audio, video."""

from references.encoders import encoders
from references.vectors import HEADS, rearranged, renamed

BOUNDS = {"mi_ta": 0, "mi_tv": 1}
PREDICTORS = {"cpc_za": 0, "cpc_zt": 1, "cpc_zv": 2}


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "contrast_weight": arguments["alpha"],
        "information_weight": arguments["beta"],
        "prediction_layers": arguments["cpc_layers"],
        "frames": arguments["feat_type"] != "utt",
    }


def translate(theirs, arguments):
    parts = HEADS | encoders(arguments) | {"fusion_prj.linear_1": "fusion.0", "fusion_prj.linear_2": "fusion.1"}
    for bound, number in BOUNDS.items():
        for layer in (0, 2):
            parts[f"{bound}.mlp_mu.{layer}"] = f"means.{number}.{layer}"
            parts[f"{bound}.mlp_logvar.{layer}"] = f"log_variances.{number}.{layer}"
    for predictor, number in PREDICTORS.items():
        parts[f"{predictor}.net"] = f"predictors.{number}"  # where it is one layer
        parts |= {f"{predictor}.net.{layer}": f"predictors.{number}.{layer}" for layer in range(5)}
    used = {name: tensor for name, tensor in theirs.items() if ".entropy_prj." not in name}
    ours = renamed(used, parts)
    ours["fusion.0.weight"] = rearranged(ours["fusion.0.weight"], 1, [arguments["hidden_dim"]] * 3, [1, 0, 2])
    return ours

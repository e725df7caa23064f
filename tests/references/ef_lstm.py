"""The early fusion LSTM; theirs has the order text, audio, video."""

from references.vectors import HEADS, rearranged


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "layers": arguments["num_layers"]}


def translate(theirs, arguments):
    ours = {}
    for name, tensor in theirs.items():
        part, _, weight = name.rpartition(".")
        if part == "lstm":  # theirs is one module, which numbers the weights of its layers
            weight, _, layer = weight.rpartition("_l")
            ours[f"layers.{layer}.{weight}_l0"] = tensor
        else:
            ours[f"{HEADS.get(part, part)}.{weight}"] = tensor
    dims = [arguments[f"{part}_dim"] for part in ("text", "audio", "video")]
    ours["layers.0.weight_ih_l0"] = rearranged(ours["layers.0.weight_ih_l0"], 1, dims, [1, 0, 2])
    return ours

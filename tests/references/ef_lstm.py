"""The early fusion LSTM; theirs is one module, which numbers the weights of its layers."""

from references.vectors import HEADS, renamed

ORDER = ("texts", "audios", "videos")


def options(arguments):
    return {"hidden": arguments["hidden_dim"], "layers": arguments["num_layers"]}


def translate(theirs, arguments):
    parts, apart = HEADS | {"linear": "linear"}, {}
    for name, tensor in theirs.items():
        weight, layered, layer = name.rpartition("_l")
        apart[f"{layer}.{weight.removeprefix('lstm.')}_l0" if layered else name] = tensor
    return renamed(apart, parts | {str(layer): f"layers.{layer}" for layer in range(arguments["num_layers"])})

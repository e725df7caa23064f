"""The multimodal transformer; its attention has query, key and value in one matrix."""

import torch

from references.vectors import HEADS, renamed

ORDER = ("texts", "audios", "videos")
LETTERS = "lav"  # theirs, by our numbers
LAYER = {
    "self_attn.out_proj": "attention.output",
    "self_attn.in_proj_query": "attention.query",
    "self_attn.in_proj_key_value": "attention.key_value",
    "fc1": "wide",
    "fc2": "narrow",
    "layer_norms.0": "norms.0",
    "layer_norms.1": "norms.1",
}


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "layers": arguments["layers"],
        "heads": arguments["num_heads"],
        "kernel": arguments["conv1d_kernel_size"],
    }


def translate(theirs, arguments):
    parts = HEADS | {"proj1": "first", "proj2": "second", "out_layer": "output"}
    for number, target in enumerate(LETTERS):
        parts[f"proj_{target}"] = f"projections.{number}.convolution"
        parts |= _stack(f"trans_{target}_mem", f"memories.{number}")
        for other, source in enumerate(LETTERS.replace(target, "")):
            parts |= _stack(f"trans_{target}_with_{source}", f"pairs.{number}.{other}")
    return renamed(_split(theirs), parts)


def _stack(theirs, ours):
    parts = {f"{theirs}.layer_norm": f"{ours}.norm"}
    for number in range(9):
        parts |= {f"{theirs}.layers.{number}.{one}": f"{ours}.layers.{number}.{other}" for one, other in LAYER.items()}
    return parts


def _split(theirs):
    """Returns the tensors with the query apart, and without the buffers that say nothing."""
    apart = {}
    for name, tensor in theirs.items():
        part, _, end = name.rpartition(".in_proj_")
        if part:
            query, *others = tensor.chunk(3)
            apart |= {f"{part}.in_proj_query.{end}": query, f"{part}.in_proj_key_value.{end}": torch.cat(others)}
        elif not name.endswith(".version"):
            apart[name] = tensor
    return apart

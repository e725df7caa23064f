"""MISA; its attention has query, key and value in one matrix, as ours."""

from references.encoders import encoders
from references.vectors import HEADS, renamed

ORDER = ("texts", "videos", "audios")
LAYER = "transformer_encoder.layers.0"
PARTS = HEADS | {
    "shared.shared_1": "shared",
    f"{LAYER}.self_attn.in_proj": "transformer.project",
    f"{LAYER}.self_attn.out_proj": "transformer.merge",
    f"{LAYER}.linear1": "transformer.widen",
    f"{LAYER}.linear2": "transformer.narrow",
    f"{LAYER}.norm1": "transformer.norms.0",
    f"{LAYER}.norm2": "transformer.norms.1",
    "fusion.fusion_layer_1": "fusion.0",
    "fusion.fusion_layer_3": "fusion.3",
    "private_t.private_t_1": "private.0",
    "private_v.private_v_1": "private.1",
    "private_a.private_a_3": "private.2",
    **{f"project_{m}.project_{m}": f"projections.{n}.0" for n, m in enumerate("tva")},
    **{f"project_{m}.project_{m}_layer_norm": f"projections.{n}.2" for n, m in enumerate("tva")},
    **{f"recon_{m}.recon_{m}_1": f"restore.{n}" for n, m in enumerate("tva")},
}


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "similarity_weight": arguments["sim_weight"],
        "difference_weight": arguments["diff_weight"],
        "restoration_weight": arguments["recon_weight"],
        "frames": arguments["feat_type"] != "utt",
    }


def translate(theirs, arguments):
    theirs = {name.replace("in_proj_", "in_proj."): tensor for name, tensor in theirs.items()}
    return renamed(theirs, PARTS | encoders(ORDER, arguments))


def run(network, case):
    """Without the transformer's own dropout, which theirs was measured without."""
    network.transformer.dropout.probability = 0.0
    return network(case.features)

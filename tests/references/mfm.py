"""The multimodal factorization model."""

import torch

from references import mfn
from references.vectors import HEADS, renamed

ORDER = mfn.ORDER
LATENT = "ylav"  # that of the label, then of each modality
PARTS = HEADS | {
    "fy_to_y_fc1": "output.0",
    "fy_to_y_fc2": "output.3",
    **{f"z{z}_to_f{z}_fc1": f"factors.{n}.0" for n, z in enumerate(LATENT)},
    **{f"z{z}_to_f{z}_fc2": f"factors.{n}.3" for n, z in enumerate(LATENT)},
    **{f"encoder_{m}.lstm": f"encoders.{n}.rnn" for n, m in enumerate(LATENT[1:])},
    **{f"encoder_{m}.fc1": f"encoders.{n}.linear" for n, m in enumerate(LATENT[1:])},
    **{f"decoder_{m}.lstm": f"decoder.cells.{n}" for n, m in enumerate(LATENT[1:])},
    **{f"decoder_{m}.fc1": f"decoder.frames.{n}" for n, m in enumerate(LATENT[1:])},
}
INNER = "mfn_encoder."  # a memory fusion network, whose own layers to the label are unused
UNUSED = ("out_fc", "fc_out_")


def options(arguments):
    return {
        "hidden": arguments["hidden_dim"],
        "memory": arguments["mem_dim"],
        "normality_weight": arguments["lda_mmd"],
        "restoration_weight": {
            "00-texts": arguments["lda_xl"],
            "01-audios": arguments["lda_xa"],
            "02-videos": arguments["lda_xv"],
        },
    }


def translate(theirs, arguments):
    inner = {name.removeprefix(INNER): tensor for name, tensor in theirs.items() if name.startswith(INNER)}
    inner = {name: tensor for name, tensor in inner.items() if not name.startswith(UNUSED)}
    # What they read the joint latent variable by stands where a memory fusion network has its first layer to the label.
    inner |= {name.replace("last_to_zy", "out"): tensor for name, tensor in theirs.items() if "last_to_zy" in name}
    ours = {key.replace("output.0", "joint"): tensor for key, tensor in mfn.translate(inner, arguments).items()}
    outer = {name: tensor for name, tensor in theirs.items() if not name.startswith((INNER, "last_to_zy"))}
    outer = renamed(outer, PARTS)
    return ours | {f"{key}_l0" if ".rnn." in key else key: tensor for key, tensor in outer.items()}


def run(network, case):
    """With their random numbers in place of our sample."""
    inputs = case.vectors.group("inputs")
    network.sample = torch.stack([inputs[f"mmd_noise_{latent}"] for latent in LATENT])
    return network(case.features)

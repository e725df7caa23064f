"""The VideoMAE of the MER2024 scripts."""

from pathlib import Path

from references.vectors import Difference, Vectors, difference
from toolkit.models.videomae import VideoMae


def build(vectors: Vectors) -> VideoMae:
    """Returns our network with their weights, whose names are the same."""
    sizes = vectors.facts["constructor_args"]
    network = VideoMae(
        size=sizes["img_size"],
        frames=sizes["all_frames"],
        channels=sizes["in_chans"],
        patch=sizes["patch_size"],
        tubelet=sizes["tubelet_size"],
        dim=sizes["embed_dim"],
        depth=sizes["depth"],
        heads=sizes["num_heads"],
        expansion=sizes["mlp_ratio"],
        classes=sizes["num_classes"],
        norm_after_mean=sizes["use_mean_pooling"],
    )
    network.load_state_dict(vectors.group("weights"))
    return network


def differences(path: Path) -> list[Difference]:
    """Returns how far positions, outputs and gradients are from theirs."""
    vectors = Vectors.read(path)
    network, video, theirs = build(vectors), vectors.tensors["inputs/video"], vectors.group("outputs")
    logits = network(video)
    loss = logits.square().mean()
    found = [
        difference("positions", network.positions, vectors.tensors["inputs/pos_embed_check"][0], 1e-6, 0.0),
        difference("feature", network.features(video), theirs["feature"], 1e-6, 1e-5),
        difference("logits", logits, theirs["logits"], 1e-6, 1e-5),
        difference("loss", loss, theirs["loss"], 1e-6, 1e-5),
    ]
    if expected := vectors.group("grads"):  # stored for one of the cases
        loss.backward()
        gradients = {name: weight.grad for name, weight in network.named_parameters()}
        each = [difference(name, gradients[name], value, 1e-7, 1e-4) for name, value in expected.items()]
        worst = max(each, key=lambda one: one.share)
        found.append(worst._replace(output=f"{len(each)} gradients, {worst.output}"))
    return found

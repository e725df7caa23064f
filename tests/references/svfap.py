"""SVFAP, as released and as published."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from references.autoencoders import clip_shape, decoder_size, fine_tuning_differences, mask, pretraining_differences
from references.vectors import Difference, Vectors
from toolkit.models.masked_autoencoder import FineTuning, Pretraining
from toolkit.models.svfap import SvfapFineTuning, SvfapPretraining
from toolkit.models.tpsbt import TpsbtSize
from toolkit.models.transformer.decoder import DecoderSize


def size(config: Mapping) -> TpsbtSize:
    """Returns our size of a sidecar's configuration, of either form."""
    prefix = "encoder_" if "encoder_embed_dim" in config else ""
    depths, bottlenecks = config["stage_depths"], config["num_bottleneck_tokens"]
    decoder = decoder_size(config) if prefix else DecoderSize()
    return TpsbtSize(
        shape=clip_shape(config),
        dim=config[f"{prefix}embed_dim"],
        depths=tuple(depths),
        bottlenecks=tuple(bottlenecks if len(bottlenecks) > 1 else bottlenecks * (len(depths) - 1)),
        heads=config[f"{prefix}num_heads"],
        factor=config["temporal_kernel_size"],
        layer_scale=config["init_values"],
        decoder=decoder._replace(layer_scale=config["init_values"]),
    )


def pretraining(facts: Mapping) -> Pretraining:
    """Returns our network: as released, where the sidecar speaks of quirks, otherwise as published, by default."""
    options = {"context": "release", "upsample": "release"} if facts["release_quirks"] else {}
    return SvfapPretraining(size(facts["config"]), mask=mask(facts["mask"]), **options)


def fine_tuning(facts: Mapping) -> FineTuning:
    return SvfapFineTuning(size(facts["config"]), facts["config"]["num_classes"])


def differences(path: Path) -> list[Difference]:
    """Returns how far all layers, outputs, loss, gradients, target and mask are from theirs."""
    vectors = Vectors.read(path)
    ours, is_pretraining = size(vectors.facts["config"]), vectors.facts["stage"] == "pretrain"
    prefix, encoder = ("encoder_", "encoder.") if is_pretraining else ("", "")
    modules = {f"{prefix}block_{i}": f"{encoder}blocks.{i}" for i in range(sum(ours.depths))}
    for i in range(len(ours.bottlenecks)):
        modules[f"{prefix}temporal_downsample_{i}"] = f"{encoder}temporal_downsamples.{i}"
        modules[f"{prefix}spatial_downsample_{i}"] = f"{encoder}spatial_downsamples.{i}"
    video = vectors.tensors["inputs/video"]
    vectors = vectors._replace(tensors=_by_step(vectors.tensors, len(video), ours))
    if not is_pretraining:
        modules["patch_embed"] = "patch_embed"
        return fine_tuning_differences(fine_tuning(vectors.facts), vectors, {"video": video}, modules)
    modules |= {"encoder_out": "encoder", "encoder_to_decoder": "encoder_to_decoder"}
    modules |= {f"decoder_block_{i}": f"decoder.blocks.{i}" for i in range(ours.decoder.depth)}
    return pretraining_differences(pretraining(vectors.facts), vectors, modules)


def _by_step(tensors: Mapping[str, Tensor], batch: int, size: TpsbtSize) -> dict[str, Tensor]:
    """Returns the vectors' tensors, those of downsampling by steps of time and tokens of a step, as ours are."""
    ours = dict(tensors)
    for name, theirs in tensors.items():
        layer, _, number = name.removeprefix("outputs/").removeprefix("encoder_").rpartition("_")
        if layer == "temporal_downsample":
            ours[name] = theirs.unflatten(0, (batch, -1)).permute(0, 3, 1, 2)
        elif layer == "spatial_downsample":
            ours[name] = theirs.unflatten(1, (size.shape.grid[0] // size.factor ** (int(number) + 1), -1))
    return ours

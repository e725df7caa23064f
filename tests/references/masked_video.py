"""MAE-DFER and the VideoMAE of its code."""

from collections.abc import Mapping
from pathlib import Path

from references.autoencoders import (
    clip_shape,
    decoder_size,
    fine_tuning_differences,
    mask,
    pretraining_differences,
)
from references.vectors import Difference, Vectors
from toolkit.models.local_global import Stages
from toolkit.models.mae_dfer import MaeDferFineTuning, MaeDferPretraining, MaeDferSize
from toolkit.models.masked_autoencoder import FineTuning, Pretraining
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.targets import VideoTarget
from toolkit.models.videomae import VideoMaeFineTuning, VideoMaePretraining, VideoMaeSize

MEAN_OF = {"region": "representatives", "org": "local", "all": "all"}  # their names and ours


def stages(config: Mapping) -> Stages:
    first_and_third = config.get("lg_attn_param_sharing_first_third")
    return Stages(
        first=config.get("lg_first_attn_type", "self"),
        second=not config.get("lg_no_second"),
        third=None if config.get("lg_no_third") else config.get("lg_third_attn_type", "cross"),
        shared="all" if config.get("lg_attn_param_sharing_all") else "first-third" if first_and_third else None,
    )


def size(config: Mapping) -> MaeDferSize | VideoMaeSize:
    """Returns our size of a sidecar's configuration, of either form."""
    prefix = "encoder_" if "encoder_depth" in config else ""
    sizes = [config[f"{prefix}{name}"] for name in ("embed_dim", "depth", "num_heads")]
    decoder = decoder_size(config) if prefix else DecoderSize()
    if config["attn_type"] == "joint":
        return VideoMaeSize(clip_shape(config), *sizes, decoder)
    return MaeDferSize(clip_shape(config), *sizes, tuple(config["lg_region_size"]), stages(config), decoder)


def pretraining(facts: Mapping) -> Pretraining:
    ours, loss = size(facts["config"]), facts["loss"]
    group = loss["frame_diff_group_size"] if loss["use_frame_diff_as_target"] else None
    options = {"mask": mask(facts["mask"]), "target": VideoTarget(ours.shape, group, loss.get("target_diff_weight"))}
    if isinstance(ours, VideoMaeSize):
        return VideoMaePretraining(ours, **options)
    return MaeDferPretraining(ours, order="release", **options)


def fine_tuning(facts: Mapping) -> FineTuning:
    config = facts["config"]
    ours = size(config)
    options = {"activation": config.get("head_activation_func"), "per_picture": config.get("keep_temporal_dim", False)}
    if isinstance(ours, VideoMaeSize):
        return VideoMaeFineTuning(ours, config["num_classes"], **options)
    options["mean_of"] = MEAN_OF[config["lg_classify_token_type"]]
    return MaeDferFineTuning(ours, config["num_classes"], order="release", **options)


def differences(path: Path) -> list[Difference]:
    """Returns how far outputs, loss, gradients, target and mask are from theirs."""
    vectors = Vectors.read(path)
    blocks = range(size(vectors.facts["config"]).depth)
    if vectors.facts["stage"] == "finetune":
        modules = {"patch_embed": "patch_embed", **{f"block_{i}": f"blocks.{i}" for i in blocks}}
        inputs = {"video": vectors.tensors["inputs/video"]}
        return fine_tuning_differences(fine_tuning(vectors.facts), vectors, inputs, modules)
    decoder = range(vectors.facts["config"]["decoder_depth"])
    modules = {
        **{f"encoder_block_{i}": f"encoder.blocks.{i}" for i in blocks},
        "encoder_out": "encoder",
        "encoder_to_decoder": "encoder_to_decoder",
        **{f"decoder_block_{i}": f"decoder.blocks.{i}" for i in decoder},
    }
    return pretraining_differences(pretraining(vectors.facts), vectors, modules)

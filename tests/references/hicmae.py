"""HiCMAE: pretraining and fine-tuning."""

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from references.autoencoders import (
    EXACT,
    clip_shape,
    decoder_size,
    fine_tuning_differences,
    gradient_differences,
    mask,
    watched,
)
from references.vectors import Difference, Vectors, difference
from toolkit.models.hicmae_fine_tuning import HicmaeFineTuning
from toolkit.models.hicmae_pretraining import HicmaePretraining
from toolkit.models.hicmae_size import HicmaeSize
from toolkit.models.stream_contrast import similarities
from toolkit.models.stream_encoder import StreamSize
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.spectrogram import SpectrogramShape
from toolkit.models.transformer.targets import VideoTarget

STREAMS = {"video": "", "audio": "_audio"}  # and what theirs of a stream end in


def size(config: Mapping) -> HicmaeSize:
    """Returns our size of a sidecar's configuration, of either form."""
    pretrained = "encoder_depth" in config
    prefix = "encoder_" if pretrained else ""
    sizes = [
        StreamSize(
            *(config[f"{prefix}{name}{suffix}"] for name in ("embed_dim", "depth", "num_heads")),
            decoder_size(config, suffix) if pretrained else DecoderSize(),
        )
        for suffix in STREAMS.values()
    ]
    return HicmaeSize(
        clip_shape(config),
        SpectrogramShape(*config["img_size_audio"], config["patch_size_audio"]),
        *sizes,
        config[f"{prefix}fusion_depth"],
        config[f"{prefix}fusion_num_heads"],
        tuple(config.get("return_intermediate_features", ())),
    )


def pretraining(facts: Mapping) -> HicmaePretraining:
    ours, loss = size(facts["config"]), facts["loss"]
    group = loss.get("frame_diff_group_size", 2) if loss["use_frame_diff_as_target"] else None
    return HicmaePretraining(
        ours,
        mask=mask(facts["mask"]["video"]),
        audio_mask=mask(facts["mask"]["audio"]),
        target=VideoTarget(ours.shape, group, loss.get("target_diff_weight")),
        contrast_weight=loss["loss_weight"],
        temperature=facts["config"]["inter_contrastive_temperature"],
    )


def fine_tuning(facts: Mapping) -> HicmaeFineTuning:
    config = facts["config"]
    return HicmaeFineTuning(size(config), config["num_classes"], activation=config.get("head_activation_func"))


@contextmanager
def normalised(network: nn.Module):
    """Yields the outputs of the encoders' normalisations by stream, in the order in which they come."""
    seen = {stream: [] for stream in STREAMS}
    hooks = [
        network.get_submodule(f"encoder{suffix}.norm").register_forward_hook(
            lambda _module, _inputs, output, stream=stream: seen[stream].append(output)
        )
        for stream, suffix in STREAMS.items()
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def layers(vectors: Vectors) -> dict[str, str]:
    """Returns our names of the modules whose outputs are stored, by theirs."""
    ours = {}
    for stream, suffix in STREAMS.items():
        ours[f"{stream}_patch_embed"] = f"encoder{suffix}.patch_embed"
        ours[f"{stream}_block_0"] = f"encoder{suffix}.blocks.0"
        for number in range(4):  # more than any has
            ours[f"fusion_{stream}_block_{number}"] = f"encoder_fusion.blocks{suffix}.{number}"
            ours[f"decoder{suffix}_block_{number}"] = f"decoder{suffix}.blocks.{number}"
    return {theirs: module for theirs, module in ours.items() if f"outputs/{theirs}" in vectors.tensors}


def differences(path: Path) -> list[Difference]:
    """Returns how far layers, outputs, losses, gradients, targets and masks are from theirs."""
    vectors = Vectors.read(path)
    return (_of_fine_tuning if vectors.facts["stage"] == "finetune" else _of_pretraining)(vectors)


def _of_fine_tuning(vectors: Vectors) -> list[Difference]:
    network = fine_tuning(vectors.facts)
    inputs = vectors.group("inputs")
    with normalised(network) as seen:
        found = fine_tuning_differences(network, vectors, inputs, layers(vectors))
    return found + [
        difference(name, torch.stack(tokens, dim=2), vectors.tensors[f"outputs/{name}"])
        for name, tokens in ((f"{stream}_tokens_all_layers", seen[stream]) for stream in STREAMS)
    ]


def _of_pretraining(vectors: Vectors) -> list[Difference]:
    network, theirs = pretraining(vectors.facts), vectors.group("outputs")
    network.load_state_dict(vectors.group("weights"))
    inputs = {stream: vectors.tensors[f"inputs/{stream}"] for stream in STREAMS}
    masks = {stream: vectors.tensors[f"inputs/mask{suffix}"] for stream, suffix in STREAMS.items()}
    modules = layers(vectors)
    with normalised(network) as tapped, watched(network, modules) as seen:
        ours = network(inputs, masks)
    found = [difference(name, seen[name], theirs[name]) for name in modules]
    for stream in STREAMS:
        found += [
            difference(f"{stream}_encoder_out", tapped[stream][-1], theirs[f"{stream}_encoder_out"]),
            difference(f"pred_{stream}", ours.predictions[stream], theirs[f"pred_{stream}"]),
            difference(f"target_{stream}", ours.targets[stream], theirs[f"target_{stream}"]),
            difference(f"loss_{stream}", ours.parts[stream], theirs[f"loss_{stream}"]),
        ]
    found += _taps(network, tapped, theirs)
    found += [
        difference("loss_hcmcl", ours.parts["contrast"], theirs["loss_hcmcl"]),
        difference("loss", ours.loss, theirs["loss"]),
    ]
    drawn = network.draw_masks(len(masks["video"]), np.random.RandomState(vectors.facts["mask"]["numpy_seed"]))
    found += [difference(f"mask of {stream}", drawn[stream], masks[stream], EXACT, 0.0) for stream in STREAMS]
    ours.loss.backward()
    return found + gradient_differences(network, vectors)


def _taps(
    network: HicmaePretraining, tapped: Mapping[str, list[Tensor]], theirs: Mapping[str, Tensor]
) -> list[Difference]:
    for number in range(len(network.size.taps)):
        pair = [tapped[stream][number] for stream in STREAMS]
        names = [f"{stream}_intermediate_{number}" for stream in STREAMS]
        yield from (difference(name, tokens, theirs[name]) for name, tokens in zip(names, pair, strict=True))
        logits = f"logits_per_video_{number}"
        yield difference(logits, similarities(*pair, network.temperature), theirs[logits])

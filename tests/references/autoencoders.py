"""What the vectors of all masked autoencoders are compared by."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from references.vectors import Difference, Vectors, difference
from toolkit.models.masked_autoencoder import FineTuning, Pretraining
from toolkit.models.transformer.clip_shape import ClipShape
from toolkit.models.transformer.decoder import DecoderSize
from toolkit.models.transformer.masks import Mask, Scattered, Tube, Windows, draw

EXACT = 1e-30  # a tolerance that only equal numbers are within


def clip_shape(config: Mapping) -> ClipShape:
    return ClipShape(config["img_size"], config.get("all_frames", 16), config["patch_size"], config["tubelet_size"])


def decoder_size(config: Mapping, suffix: str = "") -> DecoderSize:
    return DecoderSize(*(config[f"decoder_{name}{suffix}"] for name in ("embed_dim", "depth", "num_heads")))


def mask(facts: Mapping) -> Mask:
    """Returns our mask of a sidecar's."""
    if facts["generator"] == "part_window":
        return Windows(facts["ratio"], facts["window"][0])
    return {"tube": Tube, "random2d": Scattered}[facts["generator"]](facts["ratio"])


def mask_differences(vectors: Vectors) -> list[Difference]:
    """Returns how far our mask, drawn from their seed, is from theirs: 0 or 1 (video alone)."""
    facts, theirs = vectors.facts["mask"], vectors.tensors["inputs/mask"]
    ours = draw(mask(facts), facts["token_grid"], len(theirs), np.random.RandomState(facts["numpy_seed"]))
    return [difference("mask", ours, theirs, EXACT, 0.0)]


@contextmanager
def watched(network: nn.Module, modules: Mapping[str, str]) -> Iterator[dict[str, Tensor]]:
    """Yields what modules give, by the names in ``modules``, whose values are theirs in the network."""
    seen: dict[str, Tensor] = {}

    def keep(name):
        return lambda _module, _inputs, output: seen.__setitem__(name, output)

    hooks = [network.get_submodule(path).register_forward_hook(keep(name)) for name, path in modules.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def gradient_differences(network: nn.Module, vectors: Vectors) -> list[Difference]:
    """Returns how far gradients are from theirs, after ``backward``: some whole, of all the norms (NaN for none)."""
    weights = dict(network.named_parameters())
    found = [
        difference(f"gradient of {name}", weights[name].grad, theirs)
        for name, theirs in vectors.group("outputs/grad").items()
    ]
    names, theirs = vectors.facts["grad_param_names"], vectors.tensors["outputs/grad_norms"]
    ours = [-1.0 if weights[name].grad is None else weights[name].grad.double().norm().item() for name in names]
    found.append(difference(f"{len(names)} norms of gradients", torch.tensor(ours), theirs.nan_to_num(nan=-1.0)))
    if odd := {name for name, weight in weights.items() if weight.grad is not None}.difference(names):
        found.append(Difference(f"gradients of ours alone: {', '.join(sorted(odd))}", float("inf"), EXACT))
    return found


def pretraining_differences(network: Pretraining, vectors: Vectors, modules: Mapping[str, str]) -> list[Difference]:
    """Returns how far a network that learns from video alone is from theirs: layers, loss, target, gradients, mask.

    Args:
        network: ours, on which their weights are put
        vectors: theirs
        modules: names of outputs and of our modules that give them
    """
    network.load_state_dict(vectors.group("weights"))
    inputs, masks = {"video": vectors.tensors["inputs/video"]}, {"video": vectors.tensors["inputs/mask"]}
    theirs = vectors.group("outputs")
    with watched(network, modules) as seen:
        ours = network(inputs, masks)
    found = [difference(name, seen[name], theirs[name]) for name in modules]
    found += [
        difference("pred", ours.predictions["video"], theirs["pred"]),
        difference("target", ours.targets["video"], theirs["target"], EXACT, 0.0),
        difference("loss", ours.loss, theirs["loss"]),
        *mask_differences(vectors),
    ]
    if "grad_norms" in theirs:
        ours.loss.backward()
        found += gradient_differences(network, vectors)
    return found


def fine_tuning_differences(
    network: FineTuning, vectors: Vectors, inputs: Mapping[str, Tensor], modules: Mapping[str, str]
) -> list[Difference]:
    """Returns how far a network that reads whole clips is from theirs: layers, features, logits, loss, gradients.

    Args:
        network: ours, on which their weights are put
        vectors: theirs
        inputs: by stream
        modules: names of outputs and of our modules that give them
    """
    network.load_state_dict(vectors.group("weights"))
    theirs = vectors.group("outputs")
    with watched(network, modules) as seen:
        ours = network(inputs)
    loss = functional.cross_entropy(ours.logits, vectors.tensors["inputs/target_soft"])
    found = [difference(name, seen[name], theirs[name]) for name in modules]
    found += [difference(name, getattr(ours, name), theirs[name]) for name in ("features", "logits")]
    found.append(difference("loss_soft_ce", loss, theirs["loss_soft_ce"]))
    if "grad_norms" in theirs:
        loss.backward()
        found += gradient_differences(network, vectors)
    return found


def published_differences(network: nn.Module, facts: Mapping) -> list[str]:
    """Returns how a network differs from a list of keys, in words: shapes, parameters, layers, weight decay.

    Args:
        network: ours, which may be on torch's meta device
        facts: of a file ``*_keys.json``
    """
    ours, theirs = {name: list(v.shape) for name, v in network.state_dict().items()}, facts["state_dict"]
    found = [
        f"{name}: {ours.get(name)} for {theirs.get(name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    count = sum(weight.numel() for weight in network.parameters())
    if count != facts["n_params"]:
        found.append(f"{count} parameters for {facts['n_params']}")
    decay = facts.get("layer_decay_groups", {"params": {}})
    for name, weight in network.named_parameters() if decay["params"] else ():
        rules = decay["params"][name]
        scale = decay["layer_decay"] ** (network.top_layer - network.layer_of(name))
        if network.layer_of(name) != rules["layer_id"] or abs(scale - rules["lr_scale"]) > 1e-12:
            found.append(f"{name}: layer {network.layer_of(name)} for {rules['layer_id']}")
        if network.decays(name, weight) != (rules["weight_decay"] > 0):
            found.append(f"{name}: weight decay {network.decays(name, weight)}")
    return found


def products(network: nn.Module, inputs: Mapping[str, tuple[int, ...]]) -> int:
    """Returns the floating-point operations of one forward pass as torch counts them, two per multiply-add.

    Args:
        network: on torch's meta device, where nothing is computed
        inputs: shapes by stream
    """
    with FlopCounterMode(display=False) as counter:
        network.to("meta")({stream: torch.zeros(shape, device="meta") for stream, shape in inputs.items()})
    return counter.get_total_flops()

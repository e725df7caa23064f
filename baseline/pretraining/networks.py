"""The network that settings describe."""

import inspect
from typing import Any, get_args, get_type_hints

import torch

from baseline.pretraining.settings import PretrainingSettings
from toolkit.errors import UserError, did_you_mean
from toolkit.models.checkpoint_options import fits
from toolkit.models.masked_autoencoder import Pretraining, autoencoders

_NOT_SAID_HERE = {"size", "mask", "audio_mask", "target", "return"}


def size_of(settings: PretrainingSettings) -> Any:
    """Returns the size of the network.

    Raises:
        UserError: the family is not known, or has no such size
    """
    sizes = autoencoders.get(settings.model).sizes
    if settings.size not in sizes:
        raise UserError(f"'{settings.model}' has no size '{settings.size}'. {did_you_mean(settings.size, sizes)}")
    return sizes[settings.size]


def build(settings: PretrainingSettings) -> Pretraining:
    """Returns the network with initial weights from the seed.

    Raises:
        UserError: no such family, size or option, or a share of tokens that hides all or none
    """
    family = autoencoders.get(settings.model)
    size = size_of(settings)
    _check_options(family.pretraining, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = family.pretraining(size, **settings.network)
    if settings.mask_ratio is not None:
        network.mask = network.mask._replace(ratio=settings.mask_ratio)
    if settings.audio_mask_ratio is not None:
        if "audio" not in family.streams:
            raise UserError(f"'{settings.model}' hears nothing: --audio-mask-ratio is for hicmae.")
        network.audio_mask = network.audio_mask._replace(ratio=settings.audio_mask_ratio)
    _check_masks(network)
    return network


def _check_options(kind: type[Pretraining], settings: PretrainingSettings) -> None:
    hints = get_type_hints(kind.__init__)
    known = {name: hints[name] for name in inspect.signature(kind).parameters if name not in _NOT_SAID_HERE}
    for name, value in settings.network.items():
        if name not in known:
            raise UserError(f"'{name}' is no option of '{settings.model}' in pretraining. {did_you_mean(name, known)}")
        if not fits(known[name], value):
            expected = " or ".join(get_args(known[name])) or "a number"
            raise UserError(f"--set {name}={value}: expected {expected}.")


def _check_masks(network: Pretraining) -> None:
    import numpy as np

    for stream, mask in network.draw_masks(1, np.random.default_rng(0)).items():
        hidden = int(mask.sum())
        if hidden in (0, mask.shape[1]):
            raise UserError(
                f"The share of tokens hidden leaves {mask.shape[1] - hidden} of {mask.shape[1]} to be seen in "
                f"{stream}; expected some to be seen and some hidden. Choose another --mask-ratio."
            )

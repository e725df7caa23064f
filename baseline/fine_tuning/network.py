"""The network that fine-tuning begins with."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from baseline.fine_tuning.settings import FineTuningConfig
from toolkit.errors import UserError, did_you_mean
from toolkit.models.checkpoint import load_checkpoint
from toolkit.models.masked_autoencoder import Family, FineTuning, autoencoders

logger = logging.getLogger(__name__)


class Beginning(NamedTuple):
    """A network before it learns.

    Attributes:
        network: for whole clips
        family: of the network
        size: of the network
        line: what became of a checkpoint, in words
    """

    network: FineTuning
    family: type[Family]
    size: Any
    line: str


def begin(config: FineTuningConfig, outputs: int) -> Beginning:
    """Returns the network with the weights of a checkpoint, or random ones that the seed decides.

    Args:
        config: the settings
        outputs: classes or values

    Raises:
        UserError: no such family or size, or the checkpoint does not fit
    """
    options = {"drop_path": config.learning.drop_path, **config.network}
    if options.get("per_picture"):
        raise UserError("Labels are of whole clips: network.per_picture has none to learn from. Leave it out.")
    if config.checkpoint is not None and config.size and not config.model:
        raise UserError(f"--size {config.size} is of no --model. Name one, or leave the size to the checkpoint.")
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        if config.checkpoint is not None:
            known = (
                dict(_flat(_size(autoencoders.get(config.model), config.size))) if config.model and config.size else {}
            )
            try:
                loaded = load_checkpoint(
                    config.checkpoint, form="fine-tuning", outputs=outputs, family=config.model, known=known, **options
                )
            except TypeError as error:
                raise UserError(f"The options of the network do not fit {config.checkpoint}: {error}.") from None
            family = autoencoders.get(loaded.report.family)
            return Beginning(loaded.network, family, loaded.size, str(loaded.report))
        family = autoencoders.get(str(config.model))
        size = _size(family, config.size or "base")
        try:
            network = family.fine_tuning(size, outputs, **options)
        except (TypeError, ValueError) as error:
            raise UserError(f"The options of the network do not fit {config.model}: {error}.") from None
    return Beginning(network, family, size, "no checkpoint: the network begins with random weights")


def _size(family: type[Family], name: str) -> Any:
    if name not in family.sizes:
        raise UserError(f"There is no size '{name}'. {did_you_mean(name, family.sizes)}")
    return family.sizes[name]


def _flat(size: Any, prefix: str = "") -> Mapping[str, Any]:
    """Returns the fields of a size by their dotted names."""
    fields: dict[str, Any] = {}
    for name, value in size._asdict().items():
        if hasattr(value, "_fields"):
            fields |= _flat(value, f"{prefix}{name}.")
        else:
            fields[prefix + name] = value
    return fields

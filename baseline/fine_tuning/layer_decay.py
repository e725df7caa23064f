"""Learning rates that fall from the last layer to the first, and weight decay for matrices alone.

Clark, Luong, Le, Manning 2020 (ELECTRA); as BEiT and VideoMAE have it for fine-tuning.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor

from toolkit.models.masked_autoencoder import FineTuning


class Rates(NamedTuple):
    """How the optimizer treats a parameter.

    Attributes:
        scale: what the learning rate is multiplied by
        weight_decay: of the parameter
    """

    scale: float
    weight_decay: float


def rates_of(network: FineTuning, layer_decay: float, weight_decay: float) -> Iterator[tuple[str, Tensor, Rates]]:
    """Yields name, parameter and rates of all that a network learns.

    Args:
        network: which knows the layer of each parameter
        layer_decay: the learning rate's factor from one layer to the one before it
        weight_decay: of what is decayed at all, which is the network's to say
    """
    for name, parameter in network.named_parameters():
        scale = layer_decay ** (network.top_layer - network.layer_of(name))
        decayed = network.decays(name, parameter)
        yield name, parameter, Rates(scale, weight_decay if decayed else 0.0)


def parameter_groups(network: FineTuning, layer_decay: float, weight_decay: float) -> list[dict[str, Any]]:
    """Returns groups of parameters with the same rates for an optimizer of torch, ``scale`` being that of the rate."""
    groups: dict[Rates, dict[str, Any]] = {}
    for _, parameter, rates in rates_of(network, layer_decay, weight_decay):
        group = groups.setdefault(rates, {"params": [], **rates._asdict()})
        group["params"].append(parameter)
    return list(groups.values())

"""Many networks of one shape as one: every weight with an axis of models in front."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from toolkit.models.dropout import Chance, Dropout
from toolkit.models.network import Features, Network, NetworkOutput, Sequences

LINE = 16  # numbers in 64 bytes


def stackable(networks: Sequence[Network]) -> bool:
    """Returns whether networks can be one stack: of one class that stacks, and alike in all but their numbers."""
    first = networks[0]
    return first.stacks and all(type(other) is type(first) and _form(other) == _form(first) for other in networks)


def exact(network: Network, batch_size: int) -> bool:
    """Returns whether networks like this one give the same numbers in a stack as alone, to the last bit.

    The matrix product of MKL adds up in an order that depends on where a matrix starts in memory. Where every matrix
    of one model fills whole lines of 64 bytes, all start alike: widths and batches of multiples of 16 see to that.
    """
    return batch_size % LINE == 0 and all(
        weight.numel() % LINE == 0 for weight in network.parameters() if weight.dim() > 1
    )


class Stack(nn.Module):
    """Networks that compute side by side, each on data of its own, and never touch each other.

    Each gives the numbers that it gives in a stack of its own on one core. On a CPU with MKL they are the same to the
    last bit where batch and widths are multiples of 16, whatever the number of cores of the larger stack; elsewhere to
    rounding, since MKL sums in another order where a matrix does not begin at a multiple of 64 bytes, or where several
    cores share one matrix. A network whose class does not stack makes a
    stack of one.

    Args:
        networks: freshly initialised, one per model; they are used up
        chance: where dropout draws from, one seed per network

    Raises:
        ValueError: several networks that cannot be one stack
    """

    def __init__(self, networks: Sequence[Network], chance: Chance | None = None) -> None:
        super().__init__()
        if len(networks) > 1 and not stackable(networks):
            raise ValueError(f"these {len(networks)} networks do not stack, or are not alike")
        self.network, self.size = networks[0], len(networks)
        for path, module in self.network.named_modules():
            others = [network.get_submodule(path) for network in networks]
            if self.network.stacks:
                _stack_tensors(module, others)
            if isinstance(module, Dropout):
                module.chance = chance
                if self.network.stacks:
                    module.probabilities = torch.tensor([other.probability for other in others])

    def forward(self, features: Features, present: Mapping[str, Tensor]) -> NetworkOutput:
        """Returns the outputs with an axis of models in front, ``(models, batch, ...)``, as the features have one."""
        if self.network.stacks:
            return self.network(features, present)
        output = self.network({key: _first(part) for key, part in features.items()}, _firsts(present))
        return NetworkOutput(*(part[None] for part in output))

    def apart(self, members: Tensor | slice, features: Features, present: Mapping[str, Tensor]) -> NetworkOutput:
        """Returns the outputs of some of the models for the same batch, ``(members, batch, ...)``.

        Args:
            members: numbers of the models; a slice spares a copy of their weights
            features: ``(batch, dim)`` or `Sequences`, without an axis of models
            present: ``(batch,)`` boolean by modality
        """
        if not self.network.stacks:
            return NetworkOutput(*(part[None] for part in self.network(features, present)))
        tensors = dict(self.network.named_parameters()) | dict(self.network.named_buffers())
        tensors = {key: tensor[members] for key, tensor in tensors.items()}
        count = len(next(iter(tensors.values())))
        # Expanded, not copied: a matrix product reads the one batch for every model.
        spread = [
            {key: part.expand(count, *part.shape) for key, part in parts.items()} for parts in (features, present)
        ]
        return functional_call(self.network, tensors, tuple(spread))

    def state(self, number: int) -> dict[str, Tensor]:
        """Returns a copy of the weights of one model, as its network's ``load_state_dict`` takes them."""
        weights = self.network.state_dict()
        return {key: (weight[number] if self.network.stacks else weight).clone() for key, weight in weights.items()}


def _form(network: Network) -> tuple[Any, ...]:
    """Returns what the networks of a stack have in common: modalities, shapes, and what else their layers are told.

    What they may be told apart by is not in it: weights, dropout, and options kept as buffers of one number.
    """
    told = [
        {name: value for name, value in vars(module).items() if isinstance(value, int | float | str)}
        for module in network.modules()
        if not isinstance(module, Dropout)
    ]
    return network.inputs, {key: weight.shape for key, weight in network.state_dict().items()}, told


def _stack_tensors(module: nn.Module, others: Sequence[nn.Module]) -> None:
    """Gives a module's own weights an axis of models in front."""
    for name, weight in list(module.named_parameters(recurse=False)):
        stacked = torch.stack([other.get_parameter(name).detach() for other in others])
        module.register_parameter(name, nn.Parameter(stacked, requires_grad=weight.requires_grad))
    for name, _ in list(module.named_buffers(recurse=False)):
        persistent = name not in module._non_persistent_buffers_set
        module.register_buffer(name, torch.stack([other.get_buffer(name) for other in others]), persistent)


def _first(part: Tensor | Sequences) -> Tensor | Sequences:
    return Sequences(part.values[0], part.lengths[0]) if isinstance(part, Sequences) else part[0]


def _firsts(masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: mask[0] for key, mask in masks.items()}

"""Many networks of one shape as one: every weight with an axis of models in front."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from toolkit.models.dropout import Chance, Dropout
from toolkit.models.network import Features, Network, NetworkOutput, Sequences


def stackable(networks: Sequence[Network]) -> bool:
    """Returns whether networks can be one stack: of one class that stacks, with the same shapes throughout."""
    first = networks[0]
    return first.stacks and all(type(other) is type(first) and _shapes(other) == _shapes(first) for other in networks)


class Stack(nn.Module):
    """Networks that compute side by side, each on data of its own, and never touch each other.

    Each gives the numbers that it gives alone, to the last bit on a CPU: a batched matrix product works through the
    models one by one. A network whose class does not stack makes a stack of one.

    Args:
        networks: freshly initialised, one per model; they are used up
        chance: where dropout draws from, one seed per network

    Raises:
        ValueError: several networks that cannot be one stack
    """

    def __init__(self, networks: Sequence[Network], chance: Chance | None = None) -> None:
        super().__init__()
        if len(networks) > 1 and not stackable(networks):
            raise ValueError(f"these {len(networks)} networks do not stack, or have no common shape")
        self.network, self.size = networks[0], len(networks)
        for path, module in self.network.named_modules():
            others = [network.get_submodule(path) for network in networks]
            if isinstance(module, Dropout):
                module.chance = chance
                if self.network.stacks:
                    module.probabilities = torch.tensor([other.probability for other in others])
            if self.network.stacks:
                _stack_tensors(module, others)

    def to(self, *arguments: Any, **options: Any) -> Self:
        """Moves the weights, and what dropout knows, to a device."""
        super().to(*arguments, **options)
        device = next(self.parameters()).device
        for module in self.modules():
            if isinstance(module, Dropout) and module.probabilities is not None:
                module.probabilities = module.probabilities.to(device)
        return self

    def forward(self, features: Features, present: Mapping[str, Tensor]) -> NetworkOutput:
        """Returns the outputs with an axis of models in front, ``(models, batch, ...)``, as the features have one."""
        if self.network.stacks:
            return self.network(features, present)
        output = self.network({key: _first(part) for key, part in features.items()}, _firsts(present))
        return NetworkOutput(*(part[None] for part in output))

    def apart(self, members: Tensor, features: Features, present: Mapping[str, Tensor]) -> NetworkOutput:
        """Returns the outputs of some models for the same batch, with an axis of these models in front.

        Args:
            members: ``(n,)`` numbers of the models
            features: ``(batch, dim)`` or `Sequences`, without an axis of models
            present: ``(batch,)`` boolean by modality
        """
        if not self.network.stacks:
            return NetworkOutput(*(part[None] for part in self.network(features, present)))
        weights = {key: weight[members] for key, weight in self._weights()}
        # Expanded, not copied: a matrix product reads the one batch for every model.
        spread = {key: values.expand(len(members), *values.shape) for key, values in features.items()}
        masks = {key: mask.expand(len(members), -1) for key, mask in present.items()}
        return functional_call(self.network, weights, (spread, masks))

    def state(self, number: int) -> dict[str, Tensor]:
        """Returns a copy of the weights of one model, as its network's ``load_state_dict`` takes them."""
        weights = self.network.state_dict()
        return {key: (weight[number] if self.network.stacks else weight).clone() for key, weight in weights.items()}

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yields parameters and buffers, those that are not saved as well."""
        yield from self.network.named_parameters()
        yield from self.network.named_buffers()


def _shapes(network: Network) -> dict[str, torch.Size]:
    return {key: weight.shape for key, weight in network.state_dict().items()}


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

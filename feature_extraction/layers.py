"""Layers: which of a network's hidden states are used, and how they become one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from toolkit.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import torch


def choose_layers(layers: Sequence[int], combine: str, count: int) -> list[int]:
    """Returns the layers wanted, counted from 0.

    Args:
        layers: as in `EncoderSpec.layers`; empty for the last one, or where they are kept side by side for all
        combine: as in `combine_layers`
        count: how many hidden states the network gives, its embeddings (number 0) included

    Raises:
        UserError: the network has no such layer

    Examples:
        >>> choose_layers((0, -2, -1), "sum", count=13)
        [0, 11, 12]
        >>> choose_layers((), "mean", count=13)
        [12]
        >>> choose_layers((), "keep", count=4)
        [0, 1, 2, 3]
    """
    for layer in layers:
        if not -count <= layer < count:
            raise UserError(
                f"There is no layer {layer}: this network has {count - 1} layers above its embeddings, so that layers "
                f"are numbered 0 (the embeddings) to {count - 1}, or from the end -1 to {-count}."
            )
    every = range(count) if combine == "keep" else (-1,)
    return [layer % count for layer in layers or every]


def combine_layers(hidden_states: Sequence["torch.Tensor"], layers: Sequence[int], combine: str) -> "torch.Tensor":
    """Returns the layers wanted as one.

    It adds in float32 whatever the network computes in, because sums of half-precision states lose digits and, in
    float16, may be infinite.

    Args:
        hidden_states: ``(..., D)`` each, the network's embeddings first, its last layer last
        layers: as in `EncoderSpec.layers`; empty for the last one, or for all with ``keep``
        combine: ``sum``, ``mean``, or ``keep`` for layers side by side, in the order of ``layers``

    Returns:
        ``(..., D)`` float32, or ``(..., L * D)`` for ``keep``

    Raises:
        UserError: the network has no such layer, or there is no such way to combine them
    """
    if combine not in _COMBINE:
        raise UserError(f"Layers cannot be combined by '{combine}'. {did_you_mean(combine, _COMBINE)}")
    chosen = choose_layers(layers, combine, len(hidden_states))
    return _COMBINE[combine]([hidden_states[layer].float() for layer in chosen])


def _keep(states: "list[torch.Tensor]") -> "torch.Tensor":
    import torch

    return torch.cat(states, dim=-1)


def _sum(states: "list[torch.Tensor]") -> "torch.Tensor":
    return sum(states[1:], start=states[0])


def _mean(states: "list[torch.Tensor]") -> "torch.Tensor":
    return _sum(states) / len(states)


_COMBINE: dict[str, Callable[["list[torch.Tensor]"], "torch.Tensor"]] = {"sum": _sum, "mean": _mean, "keep": _keep}

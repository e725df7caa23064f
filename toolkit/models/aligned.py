"""Aligned sequences: every modality of a clip has the same frames."""

from collections.abc import Mapping

import torch
from torch import Tensor

from toolkit.models.network import Features, Sequences


def frame_counts(features: Features, present: Mapping[str, Tensor]) -> Tensor:
    """Returns how many frames each clip has, ``(batch,)``, by the modalities that it has; 0 where it has none.

    Args:
        features: aligned `Sequences` by modality
        present: ``(batch,)`` boolean for every modality
    """
    lengths = [torch.where(present[key], _sequences(part).lengths, 0) for key, part in features.items()]
    return torch.stack(lengths).amax(dim=0)


def side_by_side(features: Features, present: Mapping[str, Tensor], dims: Mapping[str, int]) -> Tensor:
    """Returns all modalities of every frame in one row, ``(batch, time, sum of dims)``, zero where a clip lacks one.

    Args:
        features: aligned `Sequences` by modality
        present: ``(batch,)`` boolean for every modality
        dims: feature dimension of every modality, in the order of the columns
    """
    given = {key: _sequences(part).values for key, part in features.items()}
    first = next(iter(given.values()))
    columns = []
    for key, dim in dims.items():
        values = given.get(key)
        here = present[key][:, None, None]
        columns.append(first.new_zeros(*first.shape[:2], dim) if values is None else torch.where(here, values, 0))
    return torch.cat(columns, dim=2)


def state_after(states: Tensor, lengths: Tensor) -> Tensor:
    """Returns the state of each clip after its last frame, whatever padding follows.

    Args:
        states: ``(1 + time, batch, ...)``, the first one being before any frame
        lengths: ``(batch,)`` number of frames

    Returns:
        ``(batch, ...)``
    """
    return states[lengths, torch.arange(len(lengths), device=lengths.device)]


def _sequences(part: Tensor | Sequences) -> Sequences:
    if not isinstance(part, Sequences):
        raise ValueError(f"expected sequences of frames, got vectors of shape {tuple(part.shape)}")
    return part

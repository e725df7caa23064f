"""Hierarchical contrast: on several layers, a clip's pictures and its sound shall be known as one clip's."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional


def similarities(video: Tensor, audio: Tensor, temperature: float) -> Tensor:
    """Returns cosines of the mean tokens of all pairs, over the temperature, ``(batch, batch)``, a row per video.

    They are computed in float32 whatever the precision around them is, as a low temperature enlarges every error.

    Args:
        video: ``(batch, tokens, dim)``
        audio: ``(batch, others, dim)``
        temperature: what cosines are divided by
    """
    with torch.autocast(video.device.type, enabled=False):
        seen, heard = (functional.normalize(tokens.float().mean(dim=1), dim=1) for tokens in (video, audio))
        return seen @ heard.T / temperature


def contrast(layers: Iterable[tuple[Tensor, Tensor]], temperature: float) -> Tensor:
    """Returns the loss ``()``, summed over layers: how badly each stream finds its other among those of the batch.

    The cross-entropy both ways, half each (Radford et al. 2021, CLIP; Sun et al. 2024, HiCMAE). The batch is that of
    one process; nothing is gathered from others.

    Args:
        layers: of each layer the pictures' and the sound's tokens, as `similarities` takes them
        temperature: what cosines are divided by
    """
    losses = []
    for video, audio in layers:
        logits = similarities(video, audio, temperature)
        own = torch.arange(len(logits), device=logits.device)
        losses.append((functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2)
    return torch.stack(losses).sum()

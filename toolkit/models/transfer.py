"""Tensors on their way from the processor to where they are computed with, and what an optimiser kept of them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Returns a tensor on a device; the processor goes on meanwhile where that is safe.

    Out of ordinary memory a copy waits until the GPU has done all that it was told before. Out of pinned memory it does
    not, and torch keeps that memory until it is read. Apple's GPUs may read it only when something else is in it
    (pytorch/pytorch issues 139550 and 189690), so they are waited for.
    """
    if (tensor.device.type, device.type) != ("cpu", "cuda"):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def restore_optimizer(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """Loads an optimiser's state, whichever device it was saved on.

    torch would go on in the way of that device (one kernel for all weights on a GPU, and its counts of steps there).

    Args:
        optimizer: of the same weights
        saved: what its ``state_dict`` gave
    """
    groups = [group | {"fused": optimizer.defaults["fused"]} for group in saved["param_groups"]]
    optimizer.load_state_dict({**saved, "param_groups": groups})

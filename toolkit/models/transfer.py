"""Tensors on their way from the processor to where they are computed with."""

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Returns a tensor on a device; the processor goes on meanwhile where that is safe.

    Out of ordinary memory a copy waits until the GPU has done all that it was told before. Out of pinned memory it does
    not, and torch keeps that memory until it is read. Apple's GPUs may read it only when something else is in it
    (pytorch/pytorch issues 139550 and 189690), so they are waited for.
    """
    if (tensor.device.type, device.type) != ("cpu", "cuda"):
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)

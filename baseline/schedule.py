"""The learning rate of every step of a training."""

import numpy as np


def cosine_schedule(
    peak: float, last: float, *, epochs: int, steps: int, warmup_epochs: int, first: float = 0.0
) -> np.ndarray:
    """Returns one rate per step: a straight rise, both ends included, then half a wave down towards ``last``.

    The schedule of MAE-DFER, SVFAP and HiCMAE, after Loshchilov and Hutter 2017 (SGDR). The step after the rise is at
    the peak again; that after the training would be at ``last``.

    Args:
        peak: highest rate
        last: rate at the end
        epochs: length of the training
        steps: optimiser steps in an epoch
        warmup_epochs: length of the rise, counted in ``epochs``
        first: rate of the first step, where there is a rise

    Returns:
        ``(epochs * steps,)`` float64
    """
    rising = min(warmup_epochs, epochs) * steps
    falling = epochs * steps - rising
    wave = 0.5 * (1 + np.cos(np.pi * np.arange(falling) / max(1, falling)))
    return np.concatenate([np.linspace(first, peak, rising), last + (peak - last) * wave])


def scaled_rate(rate: float, batch: int) -> float:
    """Returns a rate given for 256 clips a step, for as many as there are (Goyal et al. 2017).

    Args:
        rate: for 256 clips
        batch: clips in one optimiser step, over all devices and accumulated batches
    """
    return rate * batch / 256

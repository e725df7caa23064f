"""Losses between representations of the clips of a batch.

Every one reads representations ``(..., batch, dim)`` with a mask ``(..., batch)``, true where a clip has what is
compared, and gives ``(...)``: one number per model of a stack, or per pair where pairs are stacked in front. What is in
a clip that is masked changes nothing. Without any clip, with a single one or between equals the loss is a number with
finite gradients, 0 where nothing can be compared.
"""

import torch
from torch import Tensor


def loss_wanted() -> bool:
    """Returns whether a network's own loss is to be computed: only where a gradient is, so not in evaluation."""
    return torch.is_grad_enabled()


def central_moment_discrepancy(
    first: Tensor, second: Tensor, first_mask: Tensor, second_mask: Tensor, *, highest: int = 5
) -> Tensor:
    """Returns how far apart two distributions are: Euclidean distances of their means and central moments, summed.

    Zellinger et al., Central Moment Discrepancy (CMD) for Domain-Invariant Representation Learning, ICLR 2017, arXiv
    1702.08811, for numbers between 0 and 1. Each distribution is that of the clips that have it, so both may be of
    different clips. MERTools takes the square root of a sum of squares, whose gradient is NaN where two moments are
    equal, as the central ones of a batch of one always are; here it is 0 there.

    Args:
        first: ``(..., batch, dim)``
        second: ``(..., batch, dim)``
        first_mask: ``(..., batch)``
        second_mask: ``(..., batch)``
        highest: order of the highest moment
    """
    gaps = _central_moments(first, first_mask, highest) - _central_moments(second, second_mask, highest)
    distance = torch.linalg.vector_norm(gaps, dim=-1).sum(dim=-1)
    return torch.where(first_mask.any(dim=-1) & second_mask.any(dim=-1), distance, 0)


def difference(first: Tensor, second: Tensor, mask: Tensor) -> Tensor:
    """Returns how much two representations of the same clips say alike: the mean square of their cross-correlation.

    The difference loss of Bousmalis et al., Domain Separation Networks, NeurIPS 2016, arXiv 1608.06019, as MISA has
    it: each number minus its mean over the clips, each clip then of length 1, a length taken as a constant.

    Args:
        first: ``(..., batch, dim)``
        second: ``(..., batch, dim)``
        mask: ``(..., batch)``, true where a clip has both
    """
    return (_directions(first, mask).mT @ _directions(second, mask)).square().mean(dim=(-2, -1))


def maximum_mean_discrepancy(values: Tensor, sample: Tensor, mask: Tensor) -> Tensor:
    """Returns the squared maximum mean discrepancy between clips and a sample of what they should be distributed like.

    Gretton et al., A Kernel Two-Sample Test, JMLR 2012, with the kernel of MERTools (MER2024, ``mfm.py``),
    ``exp(-mean((x - y) ** 2) / dim)``.

    Args:
        values: ``(..., batch, dim)``
        sample: ``(..., points, dim)``
        mask: ``(..., batch)``
    """
    values = torch.where(mask[..., None], values, 0)
    among = _mean(_mean(_kernel(values, values), mask[..., None, :], dim=-1), mask, dim=-1)
    across = _mean(_kernel(values, sample).mean(dim=-1), mask, dim=-1)
    within = _kernel(sample, sample).mean(dim=(-2, -1))
    return torch.where(mask.any(dim=-1), among + within - 2 * across, 0)


def contrastive_prediction(values: Tensor, predicted: Tensor, mask: Tensor) -> Tensor:
    """Returns how badly each clip's representation is told from those predicted for the other clips (InfoNCE).

    The mean over the clips of ``log(sum_j exp(x_i . p_j)) - x_i . p_i``, all vectors of length 1 (van den Oord et al.,
    Representation Learning with Contrastive Predictive Coding, arXiv 1807.03748). MERTools divides by lengths of
    zero, and is NaN from then on, where a clip's representation is all zeros; here such a vector stays zero.

    Args:
        values: ``(..., batch, dim)``
        predicted: ``(..., batch, dim)`` for the same clips
        mask: ``(..., batch)``
    """
    values, predicted = _unit(values), _unit(predicted)
    scores = values @ predicted.mT  # (..., batch, batch)
    # The lowest number, not minus infinity: with no clip at all the sums are still numbers.
    among = scores.masked_fill(~mask[..., None, :], torch.finfo(scores.dtype).min).logsumexp(dim=-1)
    return _mean(among - (values * predicted).sum(dim=-1), mask, dim=-1)


def gaussian_information(mean: Tensor, log_variance: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Returns the lower bound of the mutual information that a predicted Gaussian gives, to be raised.

    The bound of Barber and Agakov, The IM Algorithm, NeurIPS 2003, as MMIM has it: the mean over the clips of
    ``sum(-(mean - values) ** 2 / (2 * variance))``. As in MERTools and the authors' code the logarithm of the variance
    is not subtracted, so that a large variance raises it as well.

    Args:
        mean: ``(..., batch, dim)`` predicted
        log_variance: ``(..., batch, dim)`` predicted
        values: ``(..., batch, dim)``
        mask: ``(..., batch)``, true where a clip has both what is predicted and what it is predicted from
    """
    precision = torch.exp(-torch.where(mask[..., None], log_variance, 0))
    errors = (mean - values).square() * precision / 2
    return -_mean(errors.sum(dim=-1), mask, dim=-1)


def squared_error(values: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Returns the mean square of the difference.

    Args:
        values: ``(..., batch, dim)``
        targets: ``(..., batch, dim)``
        mask: ``(..., batch)``
    """
    return _mean((values - targets).square().mean(dim=-1), mask, dim=-1)


def _mean(values: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Returns the mean over an axis of what a mask holds true, 0 where it holds nothing."""
    return torch.where(mask, values, 0).sum(dim=dim) / mask.sum(dim=dim).clamp_min(1)


def _centred(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean over the clips, ``(..., 1, dim)``, and the values without it, 0 in clips that are masked."""
    mean = _mean(values, mask[..., None], dim=-2).unsqueeze(-2)
    return mean, torch.where(mask[..., None], values - mean, 0)


def _central_moments(values: Tensor, mask: Tensor, highest: int) -> Tensor:
    """Returns the mean and the central moments from the second on, ``(..., highest, dim)``."""
    mean, centred = _centred(values, mask)
    powers, moments = centred, [mean]
    for _ in range(highest - 1):
        powers = powers * centred
        moments.append(_mean(powers, mask[..., None], dim=-2).unsqueeze(-2))
    return torch.cat(moments, dim=-2)


def _directions(values: Tensor, mask: Tensor) -> Tensor:
    """Returns the centred clips, each of length 1 or, where all are alike, 0."""
    _, centred = _centred(values, mask)
    return centred / (torch.linalg.vector_norm(centred.detach(), dim=-1, keepdim=True) + 1e-6)


def _unit(values: Tensor) -> Tensor:
    """Returns vectors of length 1; one of zeros stays as it is."""
    lengths = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    return values / torch.where(lengths > 0, lengths, 1)


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    """Returns ``exp(-mean((x - y) ** 2) / dim)`` of all pairs, ``(..., rows of first, rows of second)``."""
    squares = first.square().sum(dim=-1)[..., :, None] + second.square().sum(dim=-1)[..., None, :]
    return torch.exp((2 * first @ second.mT - squares) / first.shape[-1] ** 2)

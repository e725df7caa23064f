"""What fine-tuning lowers."""

from torch import Tensor
from torch.nn import functional


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean cross-entropy ``()`` with targets that are shares.

    Args:
        logits: ``(batch, classes)``
        targets: ``(batch, classes)``, adding up to one
    """
    return -(targets * logits.log_softmax(dim=1)).sum(dim=1).mean()


def concordance_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Returns one less the mean concordance of each value over the batch, ``()``; both are ``(batch, values)``."""
    own, true, product = _moments(outputs, targets)
    shift = (outputs.mean(dim=0) - targets.mean(dim=0)) ** 2
    return 1 - (2 * product / (own + true + shift).clamp_min(SMALL)).mean()


def correlation_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Returns one less the mean of Pearson's correlation of each value over the batch; both ``(batch, values)``."""
    own, true, product = _moments(outputs, targets)
    return 1 - (product / (own * true).clamp_min(SMALL**2).sqrt()).mean()


def _moments(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns both variances and the covariance of each value, ``(values,)``."""
    own, true = outputs - outputs.mean(dim=0), targets - targets.mean(dim=0)
    return (own**2).mean(dim=0), (true**2).mean(dim=0), (own * true).mean(dim=0)


SMALL = 1e-8  # variance of a batch in which all is the same
LOSSES = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "smooth_l1": functional.smooth_l1_loss,
    "ccc": concordance_loss,
    "pcc": correlation_loss,
}

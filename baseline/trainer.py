"""Fits one network on one training fold: Adam, the epoch with the best validation score."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from baseline.config import TrainingSettings
from baseline.dataset import Examples
from baseline.fold_models import FoldModel, Standard
from baseline.task import Prediction, Task, Truth
from toolkit.models.network import Network, build_network


class Fit(NamedTuple):
    """A trained network.

    Attributes:
        model: the network with its normalisation
        epoch: the epoch kept, counted from 1
    """

    model: FoldModel
    epoch: int


def fit(
    network: dict[str, Any],
    task: Task,
    train: Examples,
    settings: TrainingSettings,
    *,
    seed: int,
    valid: Examples | None = None,
) -> Fit:
    """Trains a network from scratch, the same for the same seed on the same machine.

    Features and valence are standardised on ``train``. The epoch kept is the one with the best merit on ``valid``,
    among equals the one with the lowest loss there; without ``valid`` it is the last.

    Args:
        network: arguments of `toolkit.models.network.build_network`
        task: what is learnt
        train: clips with at least one feature and something to learn
        settings: how
        seed: of initial weights, order and dropout
        valid: clips that choose the epoch; none of them is the same as no ``valid``
    """
    device = train.targets.valence.device
    standard = Standard.fit(train.inputs, train.targets)
    prior = torch.from_numpy(task.prior(train.targets)).to(device)
    truth = None if not valid else Truth.of(valid.targets)
    train, held = _scaled(train, standard), None if not valid else _scaled(valid, standard)
    with _seeded(seed, device):
        net = build_network(**network).to(device)
        task.prepare(net, train.targets)
        optimizer = torch.optim.Adam(
            net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        best: tuple[tuple[float, float], int, dict[str, Tensor]] | None = None
        for epoch in range(1, settings.epochs + 1):
            _pass(net, task, train, optimizer, settings.batch_size)
            if held is None or truth is None:
                continue
            merit = _merit(net, task, held, standard, truth)
            if best is None or merit > best[0]:
                best = merit, epoch, {key: value.clone() for key, value in net.state_dict().items()}
            elif epoch - best[1] >= settings.patience:
                break
    if best is not None:
        net.load_state_dict(best[2])
    return Fit(FoldModel(net.eval(), standard, prior), settings.epochs if best is None else best[1])


@contextlib.contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds torch for the body only; one thread, since these networks are too small to share among several."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _scaled(examples: Examples, standard: Standard) -> Examples:
    mean, deviation = standard.valence
    valence = (examples.targets.valence - mean) / deviation
    return Examples(standard.apply(examples.inputs), examples.targets._replace(valence=valence))


def _pass(net: Network, task: Task, train: Examples, optimizer: torch.optim.Optimizer, batch_size: int) -> None:
    net.train()
    inputs, targets = train.inputs, train.targets
    for rows in torch.randperm(len(train)).to(targets.valence.device).split(batch_size):
        values = {key: part[rows] for key, part in inputs.values.items()}
        output = net(values, {key: part[rows] for key, part in inputs.present.items()})
        loss = task.loss(output, targets.take(rows)) + output.auxiliary_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def _merit(net: Network, task: Task, held: Examples, standard: Standard, truth: Truth) -> tuple[float, float]:
    """Returns what an epoch is chosen by: merit, and among equals the negative loss."""
    net.eval()
    output = net(held.inputs.values, held.inputs.present)
    valence = output.valence * standard.valence[1] + standard.valence[0]
    probabilities = task.probabilities(output.emotion_logits)
    prediction = Prediction(probabilities.cpu().numpy(), valence.cpu().numpy(), np.ones(len(held), bool))
    return task.merit(prediction, truth), -float(task.loss(output, held.targets))

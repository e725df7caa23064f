"""A network, its optimizer, and the steps they take together."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from baseline.fine_tuning.classes import Classes
from baseline.fine_tuning.example import Inputs
from baseline.fine_tuning.goal import Goal
from baseline.fine_tuning.layer_decay import parameter_groups
from baseline.fine_tuning.objective import LOSSES, soft_cross_entropy
from baseline.fine_tuning.settings import FineTuningConfig
from baseline.mixup import Mixing
from baseline.schedule import cosine_schedule, scaled_rate
from toolkit.models.masked_autoencoder import FineTuning
from toolkit.models.transfer import restore_optimizer, sent
from toolkit.seeds import generator_for

BETAS = (0.9, 0.999)


class Learner:
    """What changes while a network learns.

    All that is drawn for a batch is drawn from generators of its own, so that a training that goes on is the same as
    one that was never ended.

    Args:
        network: on its device
        goal: what is learnt
        config: the settings
        steps: of the optimizer in an epoch
        device: of the network
    """

    def __init__(self, network: FineTuning, goal: Goal, config: FineTuningConfig, steps: int, device: str) -> None:
        learning = config.learning
        self.network, self.goal, self.config, self.steps = network, goal, config, steps
        self.device = torch.device(device)
        self.mixing = Mixing(**config.mixing.model_dump())
        groups = parameter_groups(network, learning.layer_decay, learning.weight_decay)
        is_fused = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(groups, lr=learning.learning_rate, betas=BETAS, fused=is_fused)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.dtype == "float16")
        clips = learning.batch_size * learning.accumulate
        peak, last = (scaled_rate(rate, clips) for rate in (learning.learning_rate, learning.last_rate))
        self.rates = cosine_schedule(
            peak, last, epochs=learning.epochs, steps=steps, warmup_epochs=learning.warmup_epochs
        )

    def outputs(self, inputs: Inputs) -> Tensor:
        """Returns the last layer's outputs ``(batch, outputs)`` float32, computed in the numbers asked for."""
        return self._outputs(self._moved(inputs))

    def add(self, inputs: Inputs, truth: Tensor, share: float, *purpose: str) -> Tensor:
        """Adds a batch's gradients to those of the step.

        Args:
            inputs: by stream, ``(batch, ...)``
            truth: ``(batch, ...)``
            share: of the batch in the step
            purpose: words that tell what is drawn for the batch from all else

        Returns:
            the loss ``()``, not multiplied by the share, on the device
        """
        chance = generator_for(self.config.seed, "batch", *purpose)
        torch.manual_seed(int(chance.integers(2**63)))  # branches that are left out
        self.network.train()
        loss = self._loss(self._moved(inputs), sent(truth, self.device), chance)
        self.scaler.scale(loss * share).backward()
        return loss.detach()

    def _loss(self, inputs: Inputs, truth: Tensor, chance: np.random.Generator) -> Tensor:
        if not isinstance(self.goal, Classes):
            return LOSSES[self.config.learning.loss](self._outputs(inputs), truth)
        classes = len(self.goal.names)
        mixed = self.mixing(inputs.get("video"), truth, classes, chance, inputs.get("audio"))
        streams = {"video": mixed.video, "audio": mixed.sound}
        outputs = self._outputs({stream: values for stream, values in streams.items() if values is not None})
        return soft_cross_entropy(outputs, mixed.targets)

    def _outputs(self, inputs: Inputs) -> Tensor:
        dtype = self.config.dtype
        with torch.autocast(self.device.type, getattr(torch, dtype), enabled=dtype != "float32"):
            return self.network(inputs).logits.float()

    def _moved(self, inputs: Inputs) -> Inputs:
        return {stream: sent(values, self.device) for stream, values in inputs.items()}

    def step(self, number: int, share: float = 1.0) -> None:
        """Takes a step with the gradients that were added, the mean over the clips that were.

        Args:
            number: of the step, from 0 at the beginning of the training
            share: of the step that was added, less than 1 where clips could not be read
        """
        for group in self.optimizer.param_groups:
            group["lr"] = float(self.rates[number]) * group["scale"]
            for parameter in group["params"] if share < 1 else ():
                if parameter.grad is not None:
                    parameter.grad /= share
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """Returns all that a training goes on with."""
        return {
            "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Takes over what `state` returned."""
        self.network.load_state_dict(state["model"])
        restore_optimizer(self.optimizer, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])

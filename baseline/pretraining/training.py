"""One network being pretrained: its optimiser, its steps, and the means of an epoch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from baseline.face_clips.pixels import normalised
from baseline.face_clips.stream import ClipBatch, Draw
from baseline.pretraining.curve import Row
from baseline.pretraining.settings import PretrainingSettings
from baseline.pretraining.team import Team
from baseline.schedule import cosine_schedule, scaled_rate
from toolkit.errors import UserError
from toolkit.models.masked_autoencoder import Pretraining, Reconstruction
from toolkit.models.transfer import restore_optimizer, sent

CHECKED = 50  # steps from one look at the loss to the next; each look waits for the device


class Training:
    """AdamW under a cosine, as all three systems have it.

    Args:
        settings: of the pretraining
        network: to be trained, moved to the team's device
        steps: of an epoch
        team: processes that train it together
    """

    def __init__(self, settings: PretrainingSettings, network: Pretraining, steps: int, team: Team) -> None:
        self.settings, self.steps, self.team = settings, steps, team
        self.network = network.to(team.device)
        self._joined = team.joined(self.network)
        self.optimizer = _optimizer(self.network, settings, is_fused=team.device.startswith("cuda"))
        kind = team.device.partition(":")[0]
        self.scaler = torch.amp.GradScaler(kind, enabled=settings.dtype == "float16")
        self._autocast = (kind, getattr(torch, settings.dtype), settings.dtype != "float32")
        peak, last = (
            scaled_rate(rate, settings.batch) for rate in (settings.learning_rate, settings.last_learning_rate)
        )
        self._rates = cosine_schedule(
            peak, last, epochs=settings.epochs, steps=steps, warmup_epochs=settings.warmup_epochs
        )

    def epoch(self, number: int, batches: Iterator[ClipBatch]) -> Row:
        """Trains for an epoch and returns its means.

        Args:
            number: of the epoch, from 0
            batches: of which as many are taken as the epoch's steps have parts

        Returns:
            ``epoch``, ``steps``, ``learning_rate`` (of the last step), ``loss``, ``patch_mean`` (what the loss of the
            reconstruction would be if the mean of each patch were predicted), ``loss_NAME`` for each part of the loss,
            ``gradient_norm`` (of the steps taken, 0 if none was), and with float16 ``skipped_steps``, whose gradient
            was too large for its numbers, as happens until their scale is found

        Raises:
            UserError: the loss is not finite any more
        """
        means: list[dict[str, Tensor]] = []
        norms: list[Tensor] = []
        for step in range(self.steps):
            rate = float(self._rates[number * self.steps + step])
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            for part in range(self.settings.accumulate):
                is_last = part == self.settings.accumulate - 1
                with nullcontext() if is_last else self.team.apart(self._joined):
                    means.append(self._part(next(batches)))
            norms.append(self._step())
            if (step + 1) % CHECKED == 0:
                self._require_finite(number, means[-self.settings.accumulate :])
        found = self._require_finite(number, means)
        head = {"epoch": number, "steps": self.steps, "learning_rate": rate}
        return head | found | self._gradients(norms)

    def state(self) -> dict[str, Any]:
        """Returns what a checkpoint holds of it."""
        parts = {"model": self.network, "optimizer": self.optimizer, "scaler": self.scaler}
        return {name: part.state_dict() for name, part in parts.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a `state`."""
        self.network.load_state_dict(state["model"])
        restore_optimizer(self.optimizer, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])

    def inputs(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns what the network reads of what a view saw, on the device."""
        device = torch.device(self.team.device)
        there = {name: sent(tensor, device) for name, tensor in tensors.items()}
        return there | {"video": normalised(there["video"])}

    def masks(self, draws: Sequence[Draw], purpose: str = "mask") -> dict[str, Tensor]:
        """Returns the masks of some draws, on the CPU; each depends on its draw alone."""
        drawn = [self.network.draw_masks(1, draw.chance(self.settings.seed, purpose)) for draw in draws]
        return {stream: torch.cat([masks[stream] for masks in drawn]) for stream in drawn[0]}

    def rebuild(self, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Reconstruction:
        """Returns what the network makes of a batch; this process does so alone, and learns nothing of it."""
        with torch.no_grad(), self._precision():
            return self.network(inputs, masks)

    def _precision(self) -> torch.autocast:
        kind, dtype, enabled = self._autocast
        return torch.autocast(kind, dtype=dtype, enabled=enabled)

    def _part(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Adds to the gradients, and returns the losses of a batch."""
        inputs, masks = self.inputs(batch.tensors), self.masks(batch.draws)
        with self._precision():
            made = self._joined(inputs, masks)
        self.scaler.scale(made.loss / self.settings.accumulate).backward()
        patch_mean = sum(target.square().mean() for target in made.targets.values())
        parts = {f"loss_{name}": loss.detach() for name, loss in made.parts.items()}
        return {"loss": made.loss.detach(), "patch_mean": patch_mean} | parts

    def _step(self) -> Tensor:
        """Moves the weights, and returns the norm of the gradient."""
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.get_total_norm([p.grad for p in self.network.parameters() if p.grad is not None])
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        return norm

    def _require_finite(self, number: int, parts: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
        """Returns the means of some batches' losses over all processes, each of which sees the same."""
        found = {name: self._mean([part[name] for part in parts]) for name in parts[0]}
        if not torch.tensor(list(found.values())).isfinite().all():
            raise UserError(
                f"The loss is not finite in epoch {number}: {found['loss']}. Take a lower --learning-rate, more "
                "--warmup-epochs, or --dtype bfloat16 in place of float16."
            )
        return found

    def _gradients(self, norms: Sequence[Tensor]) -> dict[str, float]:
        """Returns the mean of the gradients' norms, and with float16 how many steps the scaler did not take."""
        if not self.scaler.is_enabled():
            return {"gradient_norm": self._mean(norms)}
        taken = [norm for norm in norms if norm.isfinite()]  # of all processes alike, as gradients are their means
        return {"gradient_norm": self._mean(taken) if taken else 0.0, "skipped_steps": len(norms) - len(taken)}

    def _mean(self, values: Sequence[Tensor]) -> float:
        """Returns the mean over all values and processes."""
        return float(self.team.mean(torch.stack(list(values)).float().mean(dtype=torch.float32)))


def _optimizer(network: Pretraining, settings: PretrainingSettings, *, is_fused: bool) -> torch.optim.AdamW:
    """Returns AdamW, weight decay acting on what the network says."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in network.named_parameters():
        groups[network.decays(name, parameter)].append(parameter)
    decays = ((groups[True], settings.weight_decay), (groups[False], 0.0))
    return torch.optim.AdamW(
        [{"params": parameters, "weight_decay": decay} for parameters, decay in decays if parameters],
        lr=0.0,
        betas=settings.betas,
        fused=is_fused,
    )

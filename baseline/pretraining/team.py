"""The processes that train one network together: this one alone, or those that ``accelerate launch`` started."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from toolkit.device import resolve_device
from toolkit.errors import UserError


class Team:
    """A process alone.

    Attributes:
        rank: of this process, from 0
        processes: how many there are
        device: torch device of this process
    """

    rank = 0
    processes = 1

    def __init__(self, device: str) -> None:
        self.device = resolve_device(device)

    def joined(self, network: nn.Module) -> nn.Module:
        """Returns the network whose gradients are the means over all processes."""
        return network

    def apart(self, network: nn.Module) -> AbstractContextManager[Any]:
        """Returns a context in which gradients stay with the process."""
        return nullcontext()

    def mean(self, values: Tensor) -> Tensor:
        """Returns the means over all processes."""
        return values

    def gathered(self, things: Sequence[Any]) -> list[Any]:
        """Returns what all processes have, end to end."""
        return list(things)

    def wait(self) -> None:
        """Waits until all processes are here."""


class AcceleratedTeam(Team):
    """Several processes, on one machine or many.

    Args:
        device: torch device of each, ``auto`` for one GPU each where there are some

    Raises:
        UserError: accelerate is not installed, or one GPU is named for all
    """

    def __init__(self, device: str) -> None:
        try:
            from accelerate import Accelerator, DistributedDataParallelKwargs
        except ImportError:
            raise UserError(
                "Several processes need accelerate, which is not installed. Install it with "
                '`pip install -c constraints.txt -e ".[distributed]"`, or start one process.'
            ) from None
        if ":" in device:
            raise UserError(
                f"Got --device {device} for several processes, each of which has a device of its own. Use --device "
                "auto, and CUDA_VISIBLE_DEVICES to choose among GPUs."
            )
        # Precision is the run's own setting, not accelerate's. Some networks have weights that the loss does not
        # reach, SVFAP with context=release among them.
        self._accelerator = Accelerator(
            cpu=device == "cpu",
            mixed_precision="no",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.rank, self.processes = self._accelerator.process_index, self._accelerator.num_processes
        self.device = str(self._accelerator.device)

    def joined(self, network: nn.Module) -> nn.Module:
        """Returns the network whose gradients are the means over all processes."""
        return self._accelerator.prepare_model(network)

    def apart(self, network: nn.Module) -> AbstractContextManager[Any]:
        """Returns a context in which gradients stay with the process."""
        return self._accelerator.no_sync(network)

    def mean(self, values: Tensor) -> Tensor:
        """Returns the means over all processes."""
        return self._accelerator.reduce(values, reduction="mean")

    def gathered(self, things: Sequence[Any]) -> list[Any]:
        """Returns what all processes have, end to end."""
        from accelerate.utils import gather_object

        return gather_object(list(things))

    def wait(self) -> None:
        """Waits until all processes are here."""
        self._accelerator.wait_for_everyone()


def assemble(device: str) -> Team:
    """Returns the team that this process is in.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` ...
    """
    several = torch.distributed.is_available() and int(os.environ.get("WORLD_SIZE", "1")) > 1
    return AcceleratedTeam(device) if several else Team(device)

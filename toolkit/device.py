"""What there is to compute on: devices as users name them, and cores."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.errors import UserError


def resolve_device(name: str) -> str:
    """Returns the torch device of a name, ``auto`` being the best there is.

    Args:
        name: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` ...

    Raises:
        UserError: no such device, or not on this machine
    """
    import torch

    if name == "auto":
        best = "mps" if torch.backends.mps.is_available() else "cpu"
        return "cuda" if torch.cuda.is_available() else best
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"Device '{name}' cannot be used: {str(error).splitlines()[0]}. Try --device cpu.") from error
    return name


def usable_cores() -> int:
    """Returns how many CPU cores this process may use, which a job scheduler or a container may have cut down."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone has it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Within it convolutions in float32 are such; newer GPUs would round what goes into them to ten bits."""
    import torch

    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield

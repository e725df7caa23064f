"""What there is to compute on: devices as users name them, their memory, and cores."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.errors import UserError

# What is said of memory that ended by those that have no class of errors for it: the CUDA driver and the libraries
# that take memory beside torch, Apple's GPUs, the processor.
_NO_MEMORY = (
    "CUDA error: out of memory",
    "_ALLOC_FAILED",
    "MPS backend out of memory",
    "DefaultCPUAllocator: can't allocate memory",
)


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


def is_want_of_memory(error: RuntimeError) -> bool:
    """Says whether an error of torch is about a device, the processor among them, whose memory is too small."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)


@contextmanager
def must_fit(what: str, device: str, advice: str = "Try --dtype bfloat16, or --device cpu.") -> Iterator[None]:
    """Makes want of memory in the block a mistake that the user can mend.

    Args:
        what: is put on the device, for the message
        device: torch device
        advice: a sentence that says what to do

    Raises:
        UserError: there is no room for it
    """
    try:
        yield
    except RuntimeError as error:
        if not is_want_of_memory(error):
            raise
        raise UserError(f"{what} does not fit on {device}. {advice}") from error


def give_back_memory() -> None:
    """Gives back what torch keeps of the devices' memory for later use, which to all others counts as taken."""
    torch = sys.modules.get("torch")  # where nothing loaded it, it keeps nothing
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()

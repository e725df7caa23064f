"""Memory that there is to compute in."""

import contextlib
import ctypes
import gc
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Numbers of glibc's malloc.h: parameters of mallopt, and what they are where nobody sets them.
_TRIM_FROM, _MOST_MAPPED = -1, -4
_TRIM_FROM_USUALLY, _MOST_MAPPED_USUALLY, _NEVER = 128 << 10, 65536, 2**31 - 1

_CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # control groups 2, 1


def usable_memory() -> float:
    """Returns how many bytes of main memory this process may ever have; infinite where the system does not say.

    It is the machine's memory, or the limit of the container (Linux control groups) where that is lower.
    """
    known = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(getattr(os, "sysconf_names", ()))  # Windows knows neither
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else math.inf
    return min([machine, *map(_limit, map(Path, _CONTAINER_LIMITS))])


def _limit(path: Path) -> float:
    """Returns the number of bytes in a file of the system, infinite where it names none or is not there."""
    try:
        word = path.read_text(encoding="ascii").strip()
    except OSError:
        return math.inf
    return float(word) if word.isdigit() else math.inf


@contextlib.contextmanager
def kept_memory() -> Iterator[None]:
    """Keeps memory that is freed in the body for what is allocated next, and gives it back to the system after it.

    A training step allocates and frees the same few tensors again and again. glibc hands blocks of megabytes back each
    time, and the system clears every page anew: of a gradient of 13 MB that took longer than its computation
    (``benchmarks/protocol.py``). Where there is no glibc, nothing is done.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    library.mallopt(_MOST_MAPPED, 0)
    library.mallopt(_TRIM_FROM, _NEVER)
    try:
        yield
    finally:
        library.mallopt(_MOST_MAPPED, _MOST_MAPPED_USUALLY)
        library.mallopt(_TRIM_FROM, _TRIM_FROM_USUALLY)
        library.malloc_trim(0)


@contextlib.contextmanager
def old_objects_left_alone() -> Iterator[None]:
    """Keeps Python's collector from walking over all that there was before the body.

    A training step makes and drops a few hundred small objects. Now and then that sets off a look at every object of
    the process, which takes 0.13 s with the libraries of a run loaded, as long as fifty steps.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

"""Memory that there is to compute in."""

import math
import os
from pathlib import Path

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

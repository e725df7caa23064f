"""How many processor cores there are to work with."""

import os


def count_cores() -> int:
    """Returns the cores this process may use, which in a container or under a scheduler are not all there are."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

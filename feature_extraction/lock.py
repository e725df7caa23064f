"""A lock beside a file, held by one process at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from toolkit.errors import UserError


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds a lock beside a file; the system frees it when the process ends, however it ends.

    Args:
        path: file that the block makes; the lock is ``.NAME.lock`` in its folder
        wait: waits for another process to finish instead of giving up

    Raises:
        UserError: another run holds it
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with path.with_name(f".{path.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise UserError(f"Another run is making {path}. Wait for it, or stop it.") from error
        yield

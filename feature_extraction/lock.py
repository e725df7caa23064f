"""A lock beside a file, held by one process at a time, or by the shards of one extraction together."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from feature_extraction.options import Shard
from toolkit.errors import UserError


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = False, part: Shard | None = None) -> Iterator[None]:
    """Holds a lock beside a file; the system frees it when the process ends, however it ends.

    Args:
        path: file that the block makes; the lock is ``.NAME.lock`` in its folder
        wait: waits for another process to finish instead of giving up
        part: shares the lock with the other shards, and keeps out a second process of the same shard

    Raises:
        UserError: another run holds it
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with contextlib.ExitStack() as files:
        names = [(f".{path.name}.lock", fcntl.LOCK_EX if part is None else fcntl.LOCK_SH)]
        if part is not None:
            names.append((f".{path.name}.{part.index}-of-{part.count}.lock", fcntl.LOCK_EX))
        for name, kind in names:
            file = files.enter_context(path.with_name(name).open("w"))
            try:
                fcntl.flock(file, kind | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise UserError(f"Another run is making {path}. Wait for it, or stop it.") from error
        yield

"""The disk under a cache: whether there is room, and whether what was written has arrived."""

import errno
import os
import shutil
from pathlib import Path

_RESERVE_BYTES = 32 * 1024 * 1024  # a disk with less counts as full: HDF5 crashes the process when a write fails


def require_space(folder: Path, size: int) -> None:
    """Raises where a folder's disk has no room for so many bytes and the reserve.

    Raises:
        OSError: it has none
    """
    if shutil.disk_usage(folder).free < size + _RESERVE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def sync_folder(folder: Path) -> None:
    """Puts the renaming itself on the disk, where the system allows opening folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

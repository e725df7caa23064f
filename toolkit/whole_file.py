"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """Gives a temporary path beside ``path`` that is renamed to it at the end, or removed where the block fails.

    Args:
        path: file to write, replaced where it exists; its folder is made where it does not
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")  # the suffix tells some writers the format
    try:
        yield target
        target.replace(path)
    finally:
        target.unlink(missing_ok=True)
